"""The same work by fedtune and by the Python stack on the same cores, as ratios.

    bench.py --data GLUE --vocabulary DIR --work DIR --results DIR [--rows lora sst2 ...] [--quick]

Rows: a step of LoRA on CoLA (lora), on SST-2 (sst2) and in bf16 (bf16: CoLA, tuned: under autocast), of all parameters
(all), of the teacher (teacher) and of distillation (kd), scoring the validation set (score), a round of FedLoRA with 4
clients and its memory (round), and start-up (start).
Columns: the Python stack as it ships, and tuned; and of the rows of steps, our matrix products' share of the processor's FMA
peak. A row whose ratios spread over more than a tenth takes up to twice as many turns. Each row leaves a JSON file in the
folder of results; of a trial (--quick), which gives no figures, in trial/ in that of work.
"""

import argparse
import json
from pathlib import Path

import rounds
import starts
import steps
from jobs import STEP_ROWS

ROWS = [*STEP_ROWS, "round", "start"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/bench/step_bench")
    parser.add_argument("--program", default="build/fedtune")
    parser.add_argument("--data", type=Path, required=True, help="a folder holding CoLA and SST-2")
    parser.add_argument("--vocabulary", type=Path, required=True, help="a folder with an uncased BERT tokenizer")
    parser.add_argument("--work", type=Path, required=True, help="where checkpoints, adapter and batches are written")
    parser.add_argument("--results", type=Path, required=True, help="where ROW.json is written")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--turns", type=int, help="turns, in place of a row's own number")
    parser.add_argument("--steps", type=int, help="steps of a side and turn, in place of a row's own number")
    parser.add_argument("--sentences", type=int, help="of the round: only the first of CoLA's training sentences")
    parser.add_argument("--quick", action="store_true", help="one or two short turns: a trial, no figures")
    options = parser.parse_args()
    results = options.work / "trial" if options.quick else options.results
    for folder in (options.work, results):
        folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for row in options.rows:
        kind = {"round": rounds, "start": starts}.get(row, steps)
        result = kind.run_row(row, options)
        if not result:
            continue
        (results / f"{row}.json").write_text(json.dumps(result, indent=1) + "\n")
        lines.append(kind.line_of(result))
    print(f"\n{'min / median / max':16}{'':>14}{'fedtune':>26}{'ratio as it ships':>24}{'ratio tuned':>24}{'of the FMA peak':>24}")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
