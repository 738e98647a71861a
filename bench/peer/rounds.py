"""A round of FedLoRA on CoLA with 4 clients, LoRA r = 8 on DistilBERT: training, averaging, scoring; and its memory.

Ours is `fedtune run`, one process. The Python stack is the reference system's: Flower's server and four client processes.
As it ships each client takes all cores and scores the whole validation set; tuned, see round_client.py. The time is that of
the round: start-up and the scores before it are left out on either side. Memory is the largest summed PSS.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jobs import prepare_models
from memory import PeakMemory
from side import spread, wants_turn

HERE = Path(__file__).parent
CLIENTS, PUBLIC_PERCENT = 4, 20
TURNS = 2
QUICK_TURNS, QUICK_ROWS = 1, 1000


def ours(options, rows: int | None) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        command = [options.program, "run", "--scheme", "fedlora", "--client-ckpt", f"{options.work}/distilbert/",
                   "--data-path", str(options.data), "--data-name", "cola", "--num-clients", str(CLIENTS),
                   "--num-rounds", "1", "--teacher-data-pct", str(PUBLIC_PERCENT), "--client-lr", "5e-4", "--quiet",
                   "--output", folder, "--name", "round"]
        if rows:
            command += ["--max-train-sentences", str(rows)]
        process = subprocess.Popen(command)
        with PeakMemory([process.pid]) as memory:
            if process.wait() != 0:
                sys.exit("fedtune failed")
        seconds = json.loads((Path(folder) / "round" / "results.json").read_text())["fedtune"]["seconds"][0]
    return {"seconds": sum(seconds[phase] for phase in ("train", "aggregate", "evaluate", "wait")), "pss": memory.bytes}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def theirs(options, rows: int | None, tuned: bool) -> dict:
    with tempfile.TemporaryDirectory() as home, open(Path(home) / "log", "w+") as log:
        environment = os.environ | {"FLWR_TELEMETRY_ENABLED": "0", "FLWR_DISABLE_UPDATE_CHECK": "1", "FLWR_HOME": home,
                                    "HF_HUB_OFFLINE": "1", "GRPC_VERBOSITY": "NONE", "TOKENIZERS_PARALLELISM": "false"}
        address = f"127.0.0.1:{free_port()}"
        form = ["--tuned"] if tuned else []

        def start(script, *arguments, **streams):
            return subprocess.Popen([sys.executable, str(HERE / script), *arguments, *form], env=environment, text=True,
                                    stderr=log, **streams)

        server = start("round_server.py", "--address", address, stdout=subprocess.PIPE)
        time.sleep(5)  # it listens before the clients call
        few = ["--rows", str(rows)] if rows else []
        clients = [start("round_client.py", "--server", address, "--rank", str(rank), "--model",
                         f"{options.work}/distilbert", "--data", str(options.data), *few, stdout=subprocess.DEVNULL)
                   for rank in range(1, CLIENTS + 1)]
        with PeakMemory([process.pid for process in (server, *clients)]) as memory:
            output = server.communicate()[0]
            for client in clients:
                client.wait()
        if server.returncode != 0:
            log.seek(0)
            sys.exit(f"Flower's server or a client failed:\n{log.read()}")
    return {**json.loads(output.splitlines()[-1]), "pss": memory.bytes}


def run_row(row: str, options) -> dict:
    prepare_models(options.work, options.vocabulary, teacher=False)
    turns_wanted, rows = (QUICK_TURNS, QUICK_ROWS) if options.quick else (options.turns or TURNS, options.sentences)
    turns = []

    def ratios(name, key):
        return [turn[name][key] / turn["ours"][key] for turn in turns]

    while wants_turn(turns_wanted, options.quick, ratios("ships", "seconds"), ratios("tuned", "seconds")):
        result = {"ours": ours(options, rows), "ships": theirs(options, rows, False), "tuned": theirs(options, rows, True)}
        for name in ("ships", "tuned"):
            result[name]["seconds"] = result[name]["train"] + result[name]["evaluate"]
        turns.append(result)
        text = ", ".join(f"{name} {r['seconds']:.1f} s {r['pss'] / 1e9:.2f} GB" for name, r in result.items())
        print(f"{row}: turn {len(turns)}: {text}", flush=True)

    return {"row": row, "rows": rows, "turns": turns,
            "seconds": {"ours": [turn["ours"]["seconds"] for turn in turns], "ships": ratios("ships", "seconds"),
                        "tuned": ratios("tuned", "seconds")},
            "pss": {"ours": [turn["ours"]["pss"] / 1e9 for turn in turns], "ships": ratios("ships", "pss"),
                    "tuned": ratios("tuned", "pss")}}


def line_of(result: dict) -> str:
    return "\n".join(
        f"{name:16}{unit:>14}{spread(result[key]['ours'], 2):>26}{spread(result[key]['ships'], 2):>24}"
        f"{spread(result[key]['tuned'], 2):>24}"
        for name, unit, key in (("round", "seconds", "seconds"), ("its memory", "GB PSS", "pss")))
