"""The live comparisons of tests/parity/run.py as tests: one per kind, each of its lines held to its tolerance.

FEDTUNE_GLUE names a folder with CoLA/ and SST-2/; without it the project's own sentences are compared.
"""

import functools
import json
import os
import pathlib
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEER = ROOT / ".venv-peer" / "bin" / "python"

pytestmark = pytest.mark.long


GLUE = os.environ.get("FEDTUNE_GLUE")


@functools.cache
def compare(kind: str) -> list[dict]:
    """The rows of one kind of comparison, with GLUE's sentences where they are there."""
    assert PEER.exists(), f"{PEER} is missing: run `tools/setup.sh peer`"
    with tempfile.TemporaryDirectory() as folder:
        table = pathlib.Path(folder) / "table.json"
        command = [PEER, ROOT / "tests" / "parity" / "run.py", "--only", kind, "--json", table]
        if GLUE:
            command += ["--glue", pathlib.Path(GLUE).resolve()]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert table.exists(), done.stdout
        return json.loads(table.read_text())["rows"]


@pytest.mark.parametrize("kind", ["models", "distillation", "ids", "adapters"])
def test_ours_and_the_peers_results_agree(kind):
    rows = compare(kind)
    assert rows and [row for row in rows if not row["ok"]] == []


@pytest.mark.parametrize("kind", ["ids", "adapters"])
def test_glue_was_compared_too(kind):
    if not GLUE:
        pytest.skip("set FEDTUNE_GLUE to a folder with CoLA/ and SST-2/, each with train.tsv and dev.tsv")
    assert any("SST-2" in row["what"] for row in compare(kind))
