"""Does a FedLoRA run of fedtune end where the Python stack ends? Several seeds each, then the difference of the means.

    same_result.py peer    --model DIR --data DIR --output DIR     the Python side; a seed that is there is not run again
    same_result.py ours    --model DIR --data DIR --output DIR     the same with fedtune
    same_result.py compare --output DIR                            exit 1 unless loss and accuracy agree

MiniLM, SST-2's first 6,000 rows, 20 % of them public, 4 clients, 5 rounds, LoRA r = 8, lr 1e-3. The means agree when they
differ by no more than 2 sqrt(s1^2 / n + s2^2 / n), twice the standard error of their difference.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path

CLIENTS = 4
PUBLIC_PERCENT = 20
LEARNING_RATE = 1e-3


def write_json(path: Path, value: dict) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(value, indent=1))
    partial.replace(path)


def run_peer(options: argparse.Namespace) -> None:
    import torch
    from federation import Federation, Settings
    from glue import client_shares, read_rows

    torch.set_num_threads(options.threads)
    rows = read_rows(options.data / "SST-2" / "train.tsv")[: options.rows]
    validation = read_rows(options.data / "SST-2" / "dev.tsv")[: options.validation_rows]
    for seed in options.seeds:
        path = options.output / f"peer-seed{seed}.json"
        if path.exists():
            continue
        settings = Settings(model=str(options.model), rounds=options.rounds, lr=LEARNING_RATE, seed=seed)
        federation = Federation(settings, client_shares(rows, CLIENTS, PUBLIC_PERCENT), validation)
        write_json(path, {"seed": seed, "metrics": federation.run()})


def run_ours(options: argparse.Namespace) -> None:
    for seed in options.seeds:
        if (options.output / f"ours-seed{seed}" / "results.json").exists():
            continue
        subprocess.run(
            [options.program, "run", "--scheme", "fedlora", "--client-ckpt", f"{options.model}/",
             "--data-path", str(options.data), "--data-name", "sst2", "--max-train-sentences", str(options.rows),
             "--num-clients", str(CLIENTS), "--num-rounds", str(options.rounds), "--client-epochs", "1",
             "--teacher-data-pct", str(PUBLIC_PERCENT), "--lora-r", "8", "--client-lr", str(LEARNING_RATE),
             "--seed", str(seed), "--output", str(options.output), "--name", f"ours-seed{seed}"],
            check=True)


def final_scores(metrics: list[dict]) -> dict:
    return max(metrics, key=lambda scores: scores["round"])


def collect(options: argparse.Namespace) -> tuple[list[dict], list[dict]]:
    peer = [json.loads((options.output / f"peer-seed{seed}.json").read_text())["metrics"] for seed in options.seeds]
    ours = [json.loads((options.output / f"ours-seed{seed}" / "results.json").read_text())["fedtune"]["metrics"]
            for seed in options.seeds]
    lengths = {len(metrics) for metrics in peer + ours}
    if len(lengths) != 1:
        sys.exit(f"the runs have different numbers of rounds: {sorted(lengths)}")
    return [final_scores(metrics) for metrics in peer], [final_scores(metrics) for metrics in ours]


def compare(options: argparse.Namespace) -> None:
    if len(options.seeds) < 2:
        sys.exit("a spread needs at least two seeds")
    peer, ours = collect(options)
    agree = True
    print(f"{'':10}{'Python stack':>22}{'fedtune':>22}{'difference':>14}{'allowed':>12}")
    for key in ("loss", "accuracy"):
        theirs, own = [s[key] for s in peer], [s[key] for s in ours]
        spreads = statistics.stdev(theirs), statistics.stdev(own)
        difference = abs(statistics.mean(theirs) - statistics.mean(own))
        allowed = 2.0 * math.sqrt(sum(s * s / len(options.seeds) for s in spreads))
        agree = agree and difference <= allowed
        cells = [f"{statistics.mean(v):.4f} +- {s:.4f}" for v, s in zip((theirs, own), spreads, strict=True)]
        print(f"{key:10}{cells[0]:>22}{cells[1]:>22}{difference:>14.4f}{allowed:>12.4f}")
    print("the means agree" if agree else "the means DIFFER")
    sys.exit(0 if agree else 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["peer", "ours", "compare"])
    parser.add_argument("--output", type=Path, required=True, help="folder of the results")
    parser.add_argument("--model", type=Path, help="MiniLM's folder")
    parser.add_argument("--data", type=Path, help="a folder holding SST-2/train.tsv and SST-2/dev.tsv")
    parser.add_argument("--program", default="build/fedtune")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--validation-rows", type=int, default=None, help="for a trial; default: all (peer only)")
    parser.add_argument("--threads", type=int, default=2, help="of the Python side")
    options = parser.parse_args()
    if options.what != "compare" and not (options.model and options.data):
        parser.error(f"{options.what} needs --model and --data")
    options.output.mkdir(parents=True, exist_ok=True)
    {"peer": run_peer, "ours": run_ours, "compare": compare}[options.what](options)


if __name__ == "__main__":
    main()
