#!/usr/bin/env python3
"""Runs test programs and pytest, adds up what they report and ends with "N passed, N failed[, N skipped]".

    tools/run_tests.py --programs build --pytest tests/integration --pytest-marker "not long"

A program that crashes, hangs, is missing or ends badly although each of its tests passed counts as one failed test.
The exit status is 0 only where something ran and nothing failed. Standard library only.
"""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM_TIMEOUT_S = 1800


@dataclasses.dataclass
class Outcome:
    """What one program, or one run of pytest, reported."""

    name: str
    passed: int = 0
    skipped: int = 0
    failures: list[str] = dataclasses.field(default_factory=list)
    seconds: float = 0.0

    def line(self) -> str:
        counts = f"{self.passed} passed"
        if self.failures:
            counts += f", {len(self.failures)} FAILED"
        if self.skipped:
            counts += f", {self.skipped} skipped"
        return f"{'FAIL' if self.failures else 'ok':4}  {self.name:44} {counts}  ({self.seconds:.1f} s)"


def listed_programs(build: pathlib.Path) -> list[pathlib.Path]:
    """The test programs of a build's current configuration, as CMake listed them."""
    names = (build / "tests" / "programs.txt").read_text().split()
    return [build / "tests" / name for name in names]


def sanitizer_environment() -> dict[str, str]:
    """The caller's environment, with what the sanitizers are to do; programs built without them ignore it."""
    environment = dict(os.environ)
    environment.setdefault("ASAN_OPTIONS", "detect_stack_use_after_return=1:strict_string_checks=1")
    environment.setdefault("LSAN_OPTIONS", f"suppressions={ROOT}/tools/lsan.supp:print_suppressions=0")
    environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    environment.setdefault("TSAN_OPTIONS", "second_deadlock_stack=1")
    return environment


def fixed_addresses() -> list[str]:
    """A prefix that switches address randomisation off: GCC's TSan cannot place its shadow on kernels with much of it."""
    prefix = ["setarch", "--addr-no-randomize"]
    usable = shutil.which("setarch") and subprocess.run([*prefix, "true"], capture_output=True).returncode == 0
    return prefix if usable else []


def read_gtest_report(report: pathlib.Path, outcome: Outcome) -> None:
    for suite in json.loads(report.read_text())["testsuites"]:
        for test in suite["testsuite"]:
            name = f"{suite['name']}.{test['name']}"
            if test.get("failures"):
                outcome.failures.append(name + "\n" + "\n".join(f["failure"] for f in test["failures"]))
            elif test["result"] == "SKIPPED":
                outcome.skipped += 1
            elif test["status"] == "RUN":
                outcome.passed += 1


def run_program(program: pathlib.Path, prefix: list[str]) -> Outcome:
    outcome = Outcome(os.path.relpath(program, ROOT))
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        command = [*prefix, str(program), f"--gtest_output=json:{report}", "--gtest_brief=1"]
        try:
            done = subprocess.run(command, cwd=ROOT, env=sanitizer_environment(), stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=PROGRAM_TIMEOUT_S)
            status, output = done.returncode, done.stdout.decode(errors="replace")
        except subprocess.TimeoutExpired:
            status, output = None, f"still running after {PROGRAM_TIMEOUT_S} s"
        except OSError as error:
            status, output = None, str(error)
        if report.exists():
            read_gtest_report(report, outcome)
    outcome.seconds = time.monotonic() - started
    if status != 0 and not outcome.failures:
        how = "did not run to its end" if status is None else f"ended with status {status}"
        outcome.failures.append(f"the program {how}\n" + "\n".join(output.splitlines()[-60:]))
    return outcome


def run_programs(builds: list[pathlib.Path], jobs: int) -> list[Outcome]:
    work = []
    for build in builds:
        prefix = fixed_addresses() if "tsan" in build.name else []
        work += [(program, prefix) for program in listed_programs(build)]
    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run_program, *item) for item in work]):
            outcomes.append(done.result())
            print(outcomes[-1].line(), flush=True)
    return outcomes


def read_junit_report(report: pathlib.Path, outcome: Outcome) -> None:
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        problem = next((case.find(kind) for kind in ("failure", "error") if case.find(kind) is not None), None)
        if problem is not None:
            name = f"{case.get('classname')}.{case.get('name')}"
            outcome.failures.append(f"{name}\n{problem.get('message', '')}")
        elif case.find("skipped") is not None:
            outcome.skipped += 1
        else:
            outcome.passed += 1


def run_pytest(paths: list[str], marker: str, jobs: int) -> Outcome:
    outcome = Outcome(f"pytest -m '{marker}'")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-m", marker, f"--junitxml={report}", *paths]
        if jobs > 1:
            command += ["-n", str(jobs), "--dist", "loadscope"]
        status = subprocess.run(command, cwd=ROOT).returncode
        if report.exists():
            read_junit_report(report, outcome)
    outcome.seconds = time.monotonic() - started
    nothing_selected = 5
    if status not in (0, nothing_selected) and not outcome.failures:
        outcome.failures.append(f"pytest ended with status {status}")
    print(outcome.line(), flush=True)
    return outcome


def summarise(outcomes: list[Outcome]) -> int:
    """Prints what failed and the totals; returns the exit status."""
    for outcome in outcomes:
        for failure in outcome.failures:
            print(f"\n--- {outcome.name}: {failure}")
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(len(outcome.failures) for outcome in outcomes)
    skipped = sum(outcome.skipped for outcome in outcomes)
    tail = f", {skipped} skipped" if skipped else ""
    print(f"\n{passed} passed, {failed} failed{tail}", flush=True)
    return 0 if passed > 0 and failed == 0 else 1


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", action="append", default=[], type=pathlib.Path, metavar="BUILD",
                        help="run the test programs of this build folder (repeatable)")
    parser.add_argument("--pytest", action="append", default=[], metavar="PATH", help="run pytest here (repeatable)")
    parser.add_argument("--pytest-marker", default="not long and not soak", metavar="EXPRESSION", help="default: %(default)s")
    parser.add_argument("--pytest-jobs", type=int, default=1, help="processes of pytest (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="programs run at once (default: %(default)s)")
    options = parser.parse_args(arguments)

    outcomes = run_programs([build.resolve() for build in options.programs], options.jobs)
    if options.pytest:
        outcomes.append(run_pytest(options.pytest, options.pytest_marker, options.pytest_jobs))
    return summarise(outcomes)


if __name__ == "__main__":
    sys.exit(main())
