"""Live parity with transformers, peft and torch: prints one table; exits 1 where anything is off.

    .venv-peer/bin/python tests/parity/run.py --build build [--glue FOLDER] [--json FILE] [--only CHECK...]
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import adapter_checks
import distill_checks
import model_checks
from report import Report

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECKS = ["models", "distillation", "ids", "adapters"]


def check_token_ids(options, report):
    command = [sys.executable, str(ROOT / "tests" / "parity" / "tokenizer.py"), "--build", str(options.build), "--model",
               str(options.minilm)]
    if options.glue:
        command += ["--glue", str(options.glue)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    for line in done.stdout.splitlines():
        if line.startswith("ok "):
            what, count = line.removeprefix("ok ").rsplit(" ", 1)
            report.add(f"token ids: {what} ({count})", 0, 0)
        else:
            print(line)
    if done.returncode != 0:
        report.add("token ids", 1, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="the build folder (default build)")
    parser.add_argument("--minilm", type=pathlib.Path, default=ROOT / "models" / "minilm", help="a pretrained BERT folder")
    parser.add_argument("--glue", type=pathlib.Path, help="a folder with CoLA/ and SST-2/: adds their sentences")
    parser.add_argument("--opinions", type=pathlib.Path, default=ROOT / "examples" / "opinions", help="the sentences to use else")
    parser.add_argument("--json", type=pathlib.Path, help="write the table here too")
    parser.add_argument("--only", nargs="+", choices=CHECKS, default=CHECKS)
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.minilm = options.minilm.resolve()

    report = Report()
    report.print_header()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if "models" in options.only:
            model_checks.run(options.build, options.minilm, folder, report)
        if "distillation" in options.only:
            distill_checks.run(options.build, options.minilm, folder, report)
        if "ids" in options.only:
            check_token_ids(options, report)
        if "adapters" in options.only:
            adapter_checks.run(options, folder, report)
    report.print_summary()
    if options.json:
        report.write(options.json)
    sys.exit(0 if report.ok else 1)


if __name__ == "__main__":
    main()
