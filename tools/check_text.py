#!/usr/bin/env python3
"""Checks every tracked text file for what must not land: open ends, paths of one machine, overlong sources.

Standard library only.
"""

import pathlib
import re
import subprocess
import sys

OPEN_END = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
MACHINE_PATH = re.compile(r"(?:^|[^\w.-])/(?:work|root|farm|opt|home/\w+)/")
SOURCE_SUFFIXES = {".cpp", ".h", ".py", ".cu", ".cmake"}
MOST_LINES = 500
MOST_BYTES = 1_000_000


def check_text(name: str, text: str) -> list[str]:
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE_PATH.search(line):
            problems.append(f"{name}:{number}: a path of one machine: {line.strip()[:100]}")
        if pathlib.PurePath(name).suffix in SOURCE_SUFFIXES and OPEN_END.search(line):
            problems.append(f"{name}:{number}: an open end: {line.strip()[:100]}")
    lines = text.count("\n")
    if pathlib.PurePath(name).suffix in SOURCE_SUFFIXES and lines > MOST_LINES:
        problems.append(f"{name}: {lines} lines; {MOST_LINES} at most, so that one file does one thing")
    return problems


def check(root: pathlib.Path) -> list[str]:
    """One line for each breach in the files that git tracks under `root`."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True).stdout
    problems = []
    for name in filter(None, names.split("\0")):
        path = root / name
        if not path.is_file() or path.is_symlink():
            continue
        content = path.read_bytes()
        if len(content) > MOST_BYTES:
            problems.append(f"{name}: {len(content)} bytes; {MOST_BYTES} at most")
        if b"\0" not in content:
            problems += check_text(name, content.decode(errors="replace"))
    return problems


def main() -> int:
    problems = check(pathlib.Path(__file__).resolve().parent.parent)
    print("\n".join(problems) if problems else "text: nothing left open")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
