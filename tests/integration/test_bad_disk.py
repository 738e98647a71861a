"""A full disk, and a folder that is read-only: exit 1, the reason, and a run that can go on.

The disk is made to fail by a small library that is loaded in front of the C library: it works for every user and file
system, and strikes after as many bytes as a test says.
"""

import os
import pathlib
import shutil
import subprocess

import pytest

SHIM = pathlib.Path(__file__).with_name("failing_disk.c")


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler, "a C compiler is needed"
    library = tmp_path_factory.mktemp("shim") / "failing_disk.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SHIM, "-ldl"], check=True)
    return library


@pytest.fixture
def failing(shim):
    """failing(error, folder, after): an environment in which writing below `folder` fails after so many bytes."""

    def environment(error: str, folder, after: int = 0) -> dict:
        return {**os.environ, "LD_PRELOAD": str(shim), "FAILING_DISK_ERROR": error, "FAILING_DISK_FOLDER": str(folder),
                "FAILING_DISK_AFTER": str(after)}

    return environment


# From the first byte to the last kilobytes of a run of two rounds, which writes about 57 kB.
@pytest.mark.parametrize("after", [0, 3_000, 15_000, 30_000, 45_000, 54_000])
def test_a_full_disk_ends_the_run_and_it_can_go_on(fedtune, run_arguments, results_of, tmp_path, failing, after):
    results = tmp_path / "results"
    message = fedtune.error(*run_arguments("a"), code=1, env=failing("ENOSPC", results, after))
    assert "No space left on device" in message and str(results) in message
    assert not (results / "a" / "results.json").exists()
    assert not list(results.rglob("*.tmp*"))

    fedtune.run(*run_arguments("straight"))
    if (results / "a" / "config.toml").exists():
        fedtune.run("run", "--resume", results / "a")
        assert results_of("a")["fedtune"]["final_sha256"] == results_of("straight")["fedtune"]["final_sha256"]


def test_a_read_only_folder_is_named(fedtune, run_arguments, tmp_path, failing):
    results = tmp_path / "results"
    results.mkdir()
    message = fedtune.error(*run_arguments("a"), code=1, env=failing("EROFS", results))
    assert "Read-only file system" in message and str(results) in message
    assert list(results.iterdir()) == []


def test_a_folder_that_turns_read_only_ends_the_run_and_it_can_go_on(fedtune, run_arguments, tmp_path, failing):
    results = tmp_path / "results"
    message = fedtune.error(*run_arguments("a"), code=1, env=failing("EROFS", results, 40_000))
    assert "Read-only file system" in message
    fedtune.run("run", "--resume", results / "a")
    assert (results / "a" / "results.json").exists()


def test_predictions_that_cannot_be_written_are_a_failure(fedtune, models):
    with open("/dev/full", "w") as full:
        done = subprocess.run([fedtune.path, "predict", "--client-ckpt", models["bert"]], input="the film\n", text=True,
                              stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1 and "fedtune: error: " in done.stderr
