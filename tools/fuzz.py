#!/usr/bin/env python3
"""Runs the fuzz targets of a build one after the other and ends with "N passed, N failed".

    tools/fuzz.py --build build-fuzz --seconds 30 safetensors npy
    tools/fuzz.py --build build-fuzz --runs 10000000 csv

Inputs that reach new code are kept in BUILD/corpus/TARGET and are where the next run goes on; one that is a finding is
kept in BUILD/findings. Standard library only.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ROOT / "tests" / "fuzz"
LONGEST = {"tokenizer_files": 4096, "run_record": 4096}  # bytes of an input; theirs are several files
LONGEST_OF_OTHERS = 1024
SLOWEST_INPUT_S = 10
MOST_MEMORY_MB = 2048
MOST_AT_ONCE_MB = 64  # in one allocation
# Freed memory waits in the caches for a use after free, not in 256 MB; a report names the four innermost callers of an
# allocation. Up to 1.7 times as many executions a second.
ADDRESS_SANITIZER = "malloc_context_size=4:quarantine_size_mb=2:thread_local_quarantine_size_kb=16"


@dataclasses.dataclass
class Outcome:
    executions: int
    seconds: float
    problem: str = ""


def targets_of(build: pathlib.Path) -> list[str]:
    return sorted(path.name.removesuffix("_fuzz") for path in (build / "fuzz").glob("*_fuzz"))


def command_of(build: pathlib.Path, target: str, seconds: int, runs: int) -> list[str]:
    grown, findings = build / "corpus" / target, build / "findings"
    for folder in (grown, findings):
        folder.mkdir(parents=True, exist_ok=True)
    words = SOURCES / f"{target}.dict"
    return [str(build / "fuzz" / f"{target}_fuzz"), f"-max_total_time={seconds}", f"-runs={runs}",
            f"-max_len={LONGEST.get(target, LONGEST_OF_OTHERS)}", f"-timeout={SLOWEST_INPUT_S}",
            f"-rss_limit_mb={MOST_MEMORY_MB}", f"-malloc_limit_mb={MOST_AT_ONCE_MB}",
            f"-artifact_prefix={findings}/{target}-", *([f"-dict={words}"] if words.exists() else []),
            str(grown), str(SOURCES / "corpus" / target)]


def executions_in(output: str) -> int:
    counts = re.findall(r"^#(\d+)\s|^Done (\d+) runs", output, re.MULTILINE)
    return max((int(first or last) for first, last in counts), default=0)


def fuzz(build: pathlib.Path, target: str, seconds: int, runs: int) -> Outcome:
    # What a target writes to files goes where no disk is waited for.
    scratch = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
    environment = os.environ | {"TMPDIR": scratch}
    environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    environment.setdefault("ASAN_OPTIONS", ADDRESS_SANITIZER)
    started = time.monotonic()
    done = subprocess.run(command_of(build, target, seconds, runs), env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    output = done.stdout.decode(errors="replace")
    outcome = Outcome(executions_in(output), time.monotonic() - started)
    if done.returncode != 0:
        outcome.problem = "\n".join(output.splitlines()[-60:])
    return outcome


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build-fuzz", help="default: build-fuzz")
    parser.add_argument("--seconds", type=int, default=0, help="for each target; default 30, without --runs")
    parser.add_argument("--runs", type=int, default=-1, help="executions of each target; default: as many as fit")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="default: all")
    options = parser.parse_args(arguments)

    build = options.build.resolve()
    known = targets_of(build)
    unknown = sorted(set(options.targets) - set(known))
    if unknown:
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(known)}")
    seconds = options.seconds or (30 if options.runs < 0 else 0)
    failed = 0
    for target in options.targets or known:
        outcome = fuzz(build, target, seconds, options.runs)
        failed += 1 if outcome.problem else 0
        print(f"{'FAIL' if outcome.problem else 'ok':4}  {target:20} {outcome.executions:>10} executions"
              f"  ({outcome.seconds:.1f} s)", flush=True)
        if outcome.problem:
            print(f"{outcome.problem}\nto see it again: {build / 'fuzz' / target}_fuzz FILE (of {build / 'findings'})", flush=True)
    print(f"\n{len(options.targets or known) - failed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
