"""A thousand clients against four with the same sentences and steps: memory, time, and what an idle client costs.

    many_clients.py --program build/fedtune --model DIR --data GLUE --steps 1000 [--turns 3] [--workers 2] [--dtype bf16]

DIR is a checkpoint of the hub's format, GLUE holds SST-2. STEPS clients of 32 sentences take one step each; four clients take
as many together. A ratio is that of one turn, in which now the four go first and now the others. Memory is the largest resident
set, as the kernel has it at the end: never less than the largest PSS, and nothing looks into the process meanwhile. (To sum up
the PSS of a gigabyte takes 15 to 45 ms, in which the process can neither map memory nor give it back; ten times a second that
was a tenth of the time of a thousand clients.)
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

BATCH = 32
MEGABYTE = 1000 * 1000


def run(options: argparse.Namespace, clients: int, folder: Path) -> dict:
    command = [options.program, "run", "--scheme", "fedlora", "--client-ckpt", options.model, "--data-path", options.data,
               "--data-name", "sst2", "--max-train-sentences", options.steps * BATCH, "--partition", "rows",
               "--teacher-data-pct", 0, "--num-clients", clients, "--num-rounds", 1, "--batch-size", BATCH,
               "--workers", options.workers, "--dtype", options.dtype, "--output", folder, "--name", clients, "--quiet"]
    start = time.perf_counter()
    process = subprocess.Popen(list(map(str, command)))
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        raise SystemExit(f"fedtune ended with {os.waitstatus_to_exitcode(status)}")
    results = json.loads((folder / f"{clients}.json").read_text())["fedtune"]
    steps = sum(client["batches"] for client in results["clients"])
    if steps != options.steps:
        raise SystemExit(f"{steps} steps, expected {options.steps}")
    phases = results["seconds"][0]
    return {"clients": clients, "peak": usage.ru_maxrss * 1024, "processor": usage.ru_utime + usage.ru_stime,
            "round": sum(phases.values()) - phases["evaluate"], "seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/fedtune")
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--dtype", default="fp32", help="bf16: shorter steps, so a client's own cost weighs more")
    options = parser.parse_args()
    ratios = {"processor": [], "round": [], "seconds": []}
    sides = [4, options.steps]
    for turn in range(options.turns):
        with tempfile.TemporaryDirectory() as folder:
            order = sides if turn % 2 == 0 else sides[::-1]
            figures_of = {clients: run(options, clients, Path(folder)) for clients in order}
        few, many = (figures_of[clients] for clients in sides)
        for figures in (few, many):
            print(f"turn {turn + 1}: {figures['clients']:>5} clients  peak RSS {figures['peak'] / MEGABYTE:6.0f} MB  "
                  f"processor {figures['processor']:7.1f} s  wall {figures['seconds']:7.1f} s  "
                  f"round without evaluation {figures['round']:7.1f} s", flush=True)
        for key, values in ratios.items():
            values.append(many[key] / few[key])
    for key, values in ratios.items():
        print(f"{key}: {min(values):.3f} / {statistics.median(values):.3f} / {max(values):.3f} of the four's (min / median / max)")


if __name__ == "__main__":
    main()
