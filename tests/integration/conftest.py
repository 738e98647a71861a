"""Fixtures: the program, tiny models, a small data set, a run of a second or so.

FEDTUNE_BIN names the program; build/fedtune is the default.
"""

import json
import os
import pathlib
import shutil

import pytest
from harness import GOLDEN, MODEL_TYPES, ROOT, Program, write_dataset


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
def kd_arguments(run_arguments, models):
    """The same for a federation that distils, in which the teacher goes on learning."""

    def arguments(name: str, **changes) -> list:
        options = {"scheme": "fedkdlora", "teacher_ckpt": models["bert"], "distill_lr": "1e-3", "client_epochs": 2}
        return run_arguments(name, **(options | changes))

    return arguments


@pytest.fixture
def results_of(tmp_path):
    def load(name: str) -> dict:
        return json.loads((tmp_path / "results" / name / "results.json").read_text())

    return load
