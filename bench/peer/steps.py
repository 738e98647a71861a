"""Rows of the comparison that are one kind of step: both sides do the same batches in turn, several times over.

First parity: logits within 1e-5 relative, the losses of 20 steps without dropout within 1e-4 (of 5 in a trial); else
nothing is timed. Then the batches with dropout on, after a warm-up of each side. Ours: two models at once, one thread each,
or one model with two threads where a federation has one (teacher, distillation). The Python stack as it ships: 2 threads.
Tuned: the fastest in the same turn of 2 threads with fused AdamW and, where there are two clients, 2 processes of one
thread each with it.

The row bf16 is a declared fast mode: our frozen products in bf16, against the Python stack's fp32 as it ships, and in the
place of the tuned ones its bf16 under autocast. Its parity is that of fp32 sums of rounded operands: 3e-2, both.
"""

import subprocess
import sys
from pathlib import Path

from jobs import BATCH_SIZE, prepare_job
from side import Side, spread, wants_turn

HERE = Path(__file__).parent
ONE_MODEL = ("teacher", "kd")
# Per row: turns, batches per side and turn, batches of warm-up per side.
LENGTHS = {"lora": (5, 20, 20), "score": (5, 32, 8)}
OTHERS = (3, 20, 10)
QUICK = (1, 4, 2)
# Of the logits, relative, and of the losses.
TOLERANCES = {"bf16": (3e-2, 3e-2)}
TOLERANCE = (1e-5, 1e-4)


def require_parity(row: str, ours: Side, peer: Side, steps: int) -> dict:
    own, theirs = ours.ask(["logits"])[0], peer.ask(["logits"])[0]
    scale = max(abs(value) for value in theirs)
    logits = max(abs(a - b) for a, b in zip(own, theirs, strict=True)) / scale
    curves = zip(ours.ask([f"curve {steps}"])[0], peer.ask([f"curve {steps}"])[0], strict=True)
    losses = max((abs(a - b) for a, b in curves), default=0.0)
    print(f"{row}: parity: logits {logits:.1e} relative, losses of {steps} steps {losses:.1e}", flush=True)
    of_logits, of_losses = TOLERANCES.get(row, TOLERANCE)
    if not (logits <= of_logits and losses <= of_losses):
        sys.exit("no parity, no timing")
    return {"logits": logits, "losses": losses}


def sides_of(row: str, job: Path, bench: str) -> tuple[Side, list[Side]]:
    """Ours, and the Python stack: as it ships, then the tuned ones."""
    peer = [sys.executable, str(HERE / "step_peer.py"), str(job)]
    models, threads = ("1", "2") if row in ONE_MODEL else ("2", "1")
    form = ["fused", "bf16"] if row == "bf16" else ["fused"]
    theirs = [Side("as it ships", [[*peer, "2"]]), Side(" ".join(form), [[*peer, "2", *form]])]
    if row not in ONE_MODEL:
        theirs.append(Side("2 processes", [[*peer, "1", *form]] * 2))
    return Side("fedtune", [[bench, str(job), models, threads]]), theirs


def measure(row: str, sides: list[Side], options) -> list[dict]:
    """Per turn: the FMA peak of the moment, and each side's sentences, tokens and operations per second."""
    count, steps, warm_up = QUICK if options.quick else LENGTHS.get(row, OTHERS)
    count = options.turns or count
    if options.steps:
        steps, warm_up = options.steps, min(warm_up, options.steps)
    for side in sides:
        side.run(0, warm_up)
    names = [side.name for side in sides[1:]]
    turns = []
    while wants_turn(count, options.quick, *both_ratios(turns, names)):
        first = warm_up + len(turns) * steps
        rates = {sides[0].name: sides[0].run(first, steps)}
        peak = sides[0].ask(["peak"])[0]  # now: torch's threads spin for a while when they have nothing to do
        rates |= {side.name: side.run(first, steps) for side in sides[1:]}
        turns.append({"fma_peak": peak, "rates": rates})
        text = ", ".join(f"{name} {rate['sentences']:.1f}" for name, rate in rates.items())
        print(f"{row}: turn {len(turns)}, sentences/s: {text}", flush=True)
    return turns


def ratios(turns: list[dict], names: list[str]) -> list[float]:
    return [turn["rates"]["fedtune"]["sentences"] / max(turn["rates"][name]["sentences"] for name in names)
            for turn in turns]


def both_ratios(turns: list[dict], names: list[str]) -> tuple[list[float], list[float]]:
    """Against the Python stack as it ships, which is named first, and tuned."""
    return ratios(turns, names[:1]), ratios(turns, names[1:])


def shares_of_peak(turns: list[dict]) -> list[float]:
    """Our matrix products' part of the FMA peak, per turn."""
    return [turn["rates"]["fedtune"]["operations"] / (1e9 * turn["fma_peak"]) for turn in turns]


def run_row(row: str, options) -> dict | None:
    """None where this processor does not do what the row asks for; the reason is printed."""
    job = prepare_job(row, options.work, options.data, options.vocabulary)
    if row == "bf16" and subprocess.run([options.bench, job, "1", "1"], stdin=subprocess.DEVNULL).returncode != 0:
        return None
    ours, theirs = sides_of(row, job, options.bench)
    parity = require_parity(row, ours, theirs[0], 5 if options.quick else 20)
    turns = measure(row, [ours, *theirs], options)
    for side in (ours, *theirs):
        side.close()
    ships, tuned = both_ratios(turns, [side.name for side in theirs])
    return {"row": row, "unit": "sentences/s", "batch": BATCH_SIZE, "parity": parity, "turns": turns,
            "ours": [turn["rates"]["fedtune"]["sentences"] for turn in turns], "ships": ships, "tuned": tuned,
            "of_fma_peak": shares_of_peak(turns)}


def line_of(result: dict) -> str:
    return (f"{result['row']:16}{result['unit']:>14}{spread(result['ours'], 1):>26}"
            f"{spread(result['ships'], 2):>24}{spread(result['tuned'], 2):>24}"
            + (f"{spread(result['of_fma_peak'], 2):>24}" if max(result["of_fma_peak"]) > 0.0 else ""))
