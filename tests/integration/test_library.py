"""fedtune as a library: installed, found by find_package, and the examples built on it and run."""

import re
import subprocess

import pytest
from harness import GOLDEN, ROOT

EXAMPLES = ROOT / "examples" / "library"


def run(*command) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of the examples, built against an installation; the installation is `prefix` beside it."""
    folder = tmp_path_factory.mktemp("library")
    run(ROOT / "tools" / "install.sh", ROOT / "build", folder / "prefix")
    run("cmake", "-G", "Ninja", "-S", EXAMPLES, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={folder / 'prefix'}")
    run("cmake", "--build", folder / "build")
    return folder / "build"


def accuracies(output) -> list:
    return [float(value) for value in re.findall(r"^round \d+: accuracy (\S+)$", output, re.M)]


def test_the_examples_are_short():
    for source in EXAMPLES.glob("*.cpp"):
        assert len(source.read_text().splitlines()) < 80, source


def test_the_installed_program_brings_its_libraries(built):
    program = built.parent / "prefix" / "bin" / "fedtune"
    assert run("env", "-i", program, "--version").startswith("fedtune ")
    loaded = run("env", "-i", "ldd", program)
    assert ".venv" not in loaded and "not found" not in loaded


def test_own_strategy_and_own_loss_play_their_rounds(built, dataset):
    assert len(accuracies(run(built / "own_strategy", GOLDEN / "bert", dataset))) == 5
    assert len(accuracies(run(built / "own_loss", GOLDEN / "bert", dataset))) == 3


def test_own_data_is_learnt(built):
    model = ROOT / "models" / "minilm"
    if not model.exists():
        pytest.skip("no models/minilm: run `make setup`")
    assert accuracies(run(built / "own_data", model))[-1] > 0.9


def test_an_example_says_what_is_wrong(built):
    done = subprocess.run([built / "own_data", "/nowhere"], capture_output=True, text=True)
    assert done.returncode == 1 and "/nowhere holds neither tokenizer.json nor vocab.txt" in done.stderr
