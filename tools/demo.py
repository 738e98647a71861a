#!/usr/bin/env python3
"""The demo: four clients fine-tune MiniLM on the project's own sentences by FedAvg, FedLoRA and FedKDLoRA.

The teacher of FedKDLoRA is MiniLM too: `build/fedtune pretrain` first trains all of its parameters on the public share.
Then `build/fedtune run` plays each scheme once, and one table shows what came out and what it cost. Each call makes new run
folders under results/. Standard library only.
"""

import dataclasses
import datetime
import json
import pathlib
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLIENTS = 4
PUBLIC_PERCENT = 20
TEACHER_EPOCHS = 6
DATA = ["--data-path", "examples/opinions", "--num-clients", str(CLIENTS), "--teacher-data-pct", str(PUBLIC_PERCENT)]


@dataclasses.dataclass
class Run:
    """One scheme of the demo: its own options, and the folder its run leaves a model or an adapter in."""

    scheme: str
    options: list[str]
    product: str


RUNS = [
    Run("fedavg", ["--num-rounds", "3", "--client-lr", "1e-4"], "model"),
    Run("fedlora", ["--num-rounds", "6", "--client-lr", "5e-3"], "adapter"),
    Run("fedkdlora", ["--num-rounds", "6", "--client-lr", "5e-3", "--distill-lr", "2e-4"], "adapter"),
]


def call(*arguments: str) -> None:
    """Runs the program. Ends the demo where it fails."""
    print(f"\n$ {shlex.join(['build/fedtune', *arguments])}", flush=True)
    status = subprocess.run(["build/fedtune", *arguments], cwd=ROOT).returncode
    if status != 0:
        sys.exit(status if status > 0 else 128 - status)


def pretrain_teacher(root: str) -> str:
    """Trains the teacher on the public share; returns its folder."""
    call("pretrain", "--teacher-ckpt", "models/minilm", *DATA, "--teacher-pretrain-epochs", str(TEACHER_EPOCHS),
         "--client-lr", "2e-4", "--output", root)
    (folder,) = (ROOT / root / "model").iterdir()
    return str(folder.relative_to(ROOT))


def run_scheme(run: Run, teacher: str, name: str) -> dict:
    """Trains; returns the run's results.json."""
    taught = ["--teacher-ckpt", teacher] if run.scheme == "fedkdlora" else []
    call("run", "--scheme", run.scheme, "--client-ckpt", "models/minilm", *taught, *DATA, *run.options, "--name", name)
    return json.loads((ROOT / "results" / name / "results.json").read_text())


def bytes_text(count: float) -> str:
    for unit in ("B", "kB"):
        if count < 1000:
            return f"{count:.4g} {unit}"
        count /= 1000
    return f"{count:.4g} MB"


def row(results: dict) -> list[str]:
    """The table's cells for one run."""
    facts = results["fedtune"]
    last = facts["metrics"][-1]
    sent = sum(entry["up"] + entry["down"] for entry in facts["bytes"])
    train = {entry["round"]: entry["train"] for entry in facts["seconds"]}
    sentences = sum(entry["value"] * train[entry["round"]] for entry in facts["sentences_per_second"])
    return [
        facts["scheme"],
        f"{last['accuracy']:.3f}",
        f"{last['mcc']:.3f}",
        f"{facts['majority_accuracy']:.3f}",
        str(len(facts["bytes"])),
        bytes_text(sent / (CLIENTS * len(facts["bytes"]))),
        f"{results['elapsed_time_secs']:.1f}",
        f"{sentences / sum(train.values()):.0f}",
    ]


HEADINGS = ["scheme", "accuracy", "MCC", "majority", "rounds", "bytes/client/round", "seconds", "sentences/s"]


def table(rows: list[list[str]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(HEADINGS, *rows)]

    def line(cells: list[str]) -> str:
        first, *others = (cell.ljust(width) if i == 0 else cell.rjust(width)
                          for i, (cell, width) in enumerate(zip(cells, widths)))
        return "  ".join([first, *others])

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([line(HEADINGS), rule, *map(line, rows)])


def main() -> int:
    started = time.monotonic()
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    names = {run.scheme: f"demo-{stamp}-{run.scheme}" for run in RUNS}
    teacher = pretrain_teacher(f"results/demo-{stamp}-teacher")
    rows = [row(run_scheme(run, teacher, names[run.scheme])) for run in RUNS]

    print(f"\nMiniLM on examples/opinions, {CLIENTS} clients, {time.monotonic() - started:.0f} s in all\n")
    print(table(rows))
    print(f"""
majority: the accuracy of always answering the commoner label; bytes: up and down, as sent; sentences/s: the clients'
teacher of fedkdlora: MiniLM, all parameters, {TEACHER_EPOCHS} epochs on the public {PUBLIC_PERCENT} % before the first round
""")
    for run in RUNS:
        folder = f"results/{names[run.scheme]}"
        print(f"{run.scheme:10} {folder}/results.json, {folder}/{run.product}/")
    print(f"{'teacher':10} {teacher}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
