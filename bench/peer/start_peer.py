"""One client of the Python stack up to its first step: prints the time of day at which that begins.

    start_peer.py MODEL GLUE
"""

import argparse
import time
from pathlib import Path

from round_client import Client

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    client = Client(argparse.Namespace(tuned=False, rank=1, rows=8500, **vars(options)))
    next(iter(client.train))
    print(time.time())
