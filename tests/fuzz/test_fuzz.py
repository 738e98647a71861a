"""A little fuzzing of every target: `make fuzz` is for more. The corpora alone are read by fuzz_corpus_test."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "build-fuzz" / "fuzz"
TARGETS = sorted(path.name for path in (ROOT / "tests" / "fuzz" / "corpus").iterdir())


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS)
def test_no_input_is_a_finding(target):
    program = PROGRAMS / f"{target}_fuzz"
    if not program.exists():
        pytest.skip(f"{program} is not built: make build-fuzz")
    done = subprocess.run([sys.executable, ROOT / "tools" / "fuzz.py", "--seconds", "2", target], capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_every_target_has_a_corpus_and_every_corpus_a_target():
    sources = {path.stem for path in (ROOT / "tests" / "fuzz").glob("*.cpp")} - {"corpus_test"}
    assert sources == set(TARGETS)
