"""A DistilBERT LoRA step on CoLA: fedtune with two clients of one thread each against the Python stack on the same cores.

    step_speed.py --bench build/bench/step_bench --data GLUE --vocabulary DIR --work DIR

First parity: logits within 1e-5 relative, the losses of 20 steps without dropout within 1e-4; else nothing is timed. Then
every side does the same batches with dropout on, in turn, several times over, after a warm-up of each. The sides of the
Python stack: `as shipped` (2 threads, AdamW as it comes), `fused` (2 threads, fused AdamW) and `2 processes` (1 thread each,
fused AdamW). The ratio is against the fastest of them in the same turn.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent


class Side:
    """Processes that share the batches of a run between them."""

    def __init__(self, name: str, commands: list[list[str]]):
        self.name = name
        self.processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                          for command in commands]

    def ask(self, commands: list[str]) -> list:
        for process, command in zip(self.processes, commands, strict=False):
            process.stdin.write(command + "\n")
            process.stdin.flush()
        return [json.loads(process.stdout.readline()) for process, _ in zip(self.processes, commands, strict=False)]

    def run(self, first: int, count: int) -> dict:
        part = count // len(self.processes)
        start = time.perf_counter()
        answers = self.ask([f"run {first + i * part} {part}" for i in range(len(self.processes))])
        seconds = time.perf_counter() - start
        return {key: sum(answer[key] for answer in answers) / seconds for key in ("sentences", "tokens")}

    def close(self) -> None:
        for process in self.processes:
            process.stdin.close()
            process.wait()


def prepare(options: argparse.Namespace) -> None:
    if not (options.work / "adapter").exists():
        from step_files import write_model
        write_model(options.work, seed=0)
    if not (options.work / "batches.json").exists():
        from step_files import write_batches
        write_batches(options.work / "batches.json", options.data / "CoLA" / "train.tsv", options.vocabulary, seed=0)


def require_parity(ours: Side, peer: Side) -> None:
    own, theirs = ours.ask(["logits"])[0], peer.ask(["logits"])[0]
    scale = max(abs(value) for value in theirs)
    logits = max(abs(a - b) for a, b in zip(own, theirs, strict=True)) / scale
    curves = zip(ours.ask(["curve 20"])[0], peer.ask(["curve 20"])[0], strict=True)
    losses = max(abs(a - b) for a, b in curves)
    print(f"parity: logits {logits:.1e} relative, losses of 20 steps {losses:.1e}")
    if not (logits <= 1e-5 and losses <= 1e-4):
        sys.exit("no parity, no timing")


def spread(values: list[float], digits: int) -> str:
    return " / ".join(f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))


def measure(sides: list[Side], options: argparse.Namespace) -> list[list[dict]]:
    """Per turn, the rates of each side."""
    for side in sides:
        side.run(0, options.warm_up)
    turns = []
    for turn in range(options.turns):
        first = options.warm_up + turn * options.steps
        turns.append([side.run(first, options.steps) for side in sides])
        rates = ", ".join(f"{side.name} {rate['sentences']:.1f}" for side, rate in zip(sides, turns[-1], strict=True))
        print(f"turn {turn + 1}, sentences/s: {rates}", flush=True)
    return turns


def report(sides: list[Side], turns: list[list[dict]]) -> None:
    print(f"{'min / median / max':24}{'sentences/s':>28}{'real tokens/s':>28}")
    for index, side in enumerate(sides):
        rates = [turn[index] for turn in turns]
        print(f"{side.name:24}{spread([r['sentences'] for r in rates], 1):>28}{spread([r['tokens'] for r in rates], 0):>28}")
    for index, side in enumerate(sides[1:], start=1):
        print(f"ratio to {side.name:20} {spread([turn[0]['sentences'] / turn[index]['sentences'] for turn in turns], 2)}")
    best = [turn[0]["sentences"] / max(rate["sentences"] for rate in turn[1:]) for turn in turns]
    print(f"ratio to the best of them     {spread(best, 2)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/bench/step_bench")
    parser.add_argument("--data", type=Path, required=True, help="a folder holding CoLA/train.tsv")
    parser.add_argument("--vocabulary", type=Path, required=True, help="a folder with an uncased BERT tokenizer")
    parser.add_argument("--work", type=Path, required=True, help="where checkpoint, adapter and batches are written")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60, help="batches per side and turn")
    parser.add_argument("--warm-up", type=int, default=40, help="batches per side: 20 for each of two clients")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    prepare(options)
    peer = [sys.executable, str(HERE / "step_peer.py"), str(options.work)]
    sides = [Side("fedtune", [[options.bench, str(options.work), "2"]]),
             Side("as shipped", [[*peer, "2"]]),
             Side("fused", [[*peer, "2", "fused"]]),
             Side("2 processes", [[*peer, "1", "fused"]] * 2)]
    require_parity(sides[0], sides[1])
    report(sides, measure(sides, options))
    for side in sides:
        side.close()


if __name__ == "__main__":
    main()
