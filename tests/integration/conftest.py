"""The program under test, tiny models and a small data set of our own.

FEDTUNE_BIN names the program; build/fedtune is the default.
"""

import json
import os
import pathlib
import random
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
MODEL_TYPES = ["bert", "distilbert"]


class Program:
    """Runs fedtune and checks how it ended."""

    def __init__(self, path: pathlib.Path):
        self.path = path

    def run(self, *arguments, code=0, **options) -> subprocess.CompletedProcess:
        command = [str(self.path), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
        assert done.returncode == code, f"{command}\nexit code {done.returncode}, expected {code}\n{done.stderr}"
        return done

    def error(self, *arguments, code, **options) -> str:
        """The one line that a failing command prints."""
        stderr = self.run(*arguments, code=code, **options).stderr
        lines = [line for line in stderr.splitlines() if line.startswith("fedtune: error: ")]
        assert len(lines) == 1 and stderr.splitlines()[-1] == lines[0], stderr
        return lines[0]

    def start(self, *arguments, **options) -> subprocess.Popen:
        command = [str(self.path), *map(str, arguments)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


@pytest.fixture(scope="session")
def fedtune() -> Program:
    path = pathlib.Path(os.environ.get("FEDTUNE_BIN", ROOT / "build" / "fedtune")).resolve()
    if not path.exists():
        pytest.fail(f"{path} is missing: run `make build`, or set FEDTUNE_BIN")
    return Program(path)


@pytest.fixture(scope="session")
def models() -> dict[str, pathlib.Path]:
    """The 2-layer, 32-wide models of the fixtures: read-only."""
    return {model_type: GOLDEN / model_type for model_type in MODEL_TYPES}


@pytest.fixture
def model_copy(tmp_path):
    """copy(model_type) makes a folder that a test may damage."""

    def copy(model_type: str) -> pathlib.Path:
        folder = tmp_path / f"{model_type}-copy"
        shutil.copytree(GOLDEN / model_type, folder)
        return folder

    return copy


def sentences(count: int, seed: int) -> list[tuple[str, int]]:
    """Opinions whose label is the last word's."""
    chance = random.Random(seed)
    rows = []
    for _ in range(count):
        label = chance.randrange(2)
        last = chance.choice(["good", "great", "fine"] if label else ["bad", "dull", "not good"])
        rows.append((f"{chance.choice(['the', 'this'])} {chance.choice(['film', 'plot', 'actor'])} is {last}", label))
    return rows


def write_tsv(path: pathlib.Path, rows: list[tuple[str, int]]) -> None:
    path.write_text("sentence\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows))


def write_dataset(folder: pathlib.Path, train: int, validation: int) -> pathlib.Path:
    folder.mkdir(parents=True)
    write_tsv(folder / "train.tsv", sentences(train, seed=1))
    write_tsv(folder / "validation.tsv", sentences(validation, seed=2))
    return folder


@pytest.fixture(scope="session")
def dataset(tmp_path_factory) -> pathlib.Path:
    """120 training and 40 validation sentences: read-only."""
    return write_dataset(tmp_path_factory.mktemp("data") / "opinions", 120, 40)


@pytest.fixture
def dataset_copy(tmp_path) -> pathlib.Path:
    return write_dataset(tmp_path / "opinions", 120, 40)


@pytest.fixture
def run_arguments(models, dataset, tmp_path):
    """arguments(name, option=value...) of a run of a second or so, under tmp_path/results."""

    def arguments(name: str, **changes) -> list:
        options = {
            "scheme": "fedlora",
            "client_ckpt": models["bert"],
            "data_path": dataset,
            "num_clients": 2,
            "num_rounds": 2,
            "client_lr": "5e-3",
            "batch_size": 8,
            "output": tmp_path / "results",
            "name": name,
        }
        options.update(changes)
        line = ["run"]
        for option, value in options.items():
            if value is None or value is False:
                continue
            line += [f"--{option.replace('_', '-')}"] + ([] if value is True else [value])
        return line

    return arguments


@pytest.fixture
def results_of(tmp_path):
    def load(name: str) -> dict:
        return json.loads((tmp_path / "results" / name / "results.json").read_text())

    return load
