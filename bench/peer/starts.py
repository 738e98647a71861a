"""Start-up: from exec to the start of the first step of training, DistilBERT and CoLA, files warm.

Ours is taken from the run's events: the round's start, less the seconds of the scores before it, which the Python client
does not make. The Python stack, one client without Flower: to the call of the first forward pass.
"""

import datetime
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jobs import prepare_models
from side import spread, wants_turn

HERE = Path(__file__).parent
TURNS, QUICK_TURNS = 5, 1


def ours(options) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        begin = time.time()
        subprocess.run([options.program, "run", "--scheme", "fedlora", "--client-ckpt", f"{options.work}/distilbert/",
                        "--data-path", str(options.data), "--data-name", "cola", "--num-clients", "4", "--num-rounds",
                        "1", "--max-train-sentences", "8500", "--teacher-data-pct", "98", "--client-lr", "5e-4", "--quiet",
                        "--output", folder, "--name", "start"], check=True)
        lines = (Path(folder) / "start" / "events.jsonl").read_text().splitlines()
    events = {event["event"]: event for event in map(json.loads, lines)}

    def after(name):
        return datetime.datetime.fromisoformat(events[name]["time"].replace("Z", "+00:00")).timestamp() - begin

    return {"loaded": after("run"), "with_scores": after("round_start"),
            "seconds": after("run") + after("round_start") - after("start")}


def theirs(options) -> float:
    begin = time.time()
    process = subprocess.run([sys.executable, str(HERE / "start_peer.py"), str(options.work / "distilbert"),
                              str(options.data)], stdout=subprocess.PIPE, text=True, check=True)
    return float(process.stdout) - begin


def run_row(row: str, options) -> dict:
    prepare_models(options.work, options.vocabulary, teacher=False)
    ours(options), theirs(options)  # the files come into memory
    count = QUICK_TURNS if options.quick else options.turns or TURNS
    turns, ratios = [], []
    while wants_turn(count, options.quick, ratios):
        turns.append({"ours": ours(options), "theirs": theirs(options)})
        ratios.append(turns[-1]["theirs"] / turns[-1]["ours"]["seconds"])
        print(f"{row}: turn {len(turns)}: {turns[-1]}", flush=True)
    return {"row": row, "turns": turns, "ours": [turn["ours"]["seconds"] for turn in turns], "ships": ratios}


def line_of(result: dict) -> str:
    return f"{'start':16}{'seconds':>14}{spread(result['ours'], 2):>26}{spread(result['ships'], 2):>24}{'the same':>24}"
