"""The live comparisons of tests/parity/run.py as tests: one per kind, each of its lines held to its tolerance.

FEDTUNE_GLUE names a folder with CoLA/ and SST-2/; without it the project's own sentences are compared.
"""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEER = ROOT / ".venv-peer" / "bin" / "python"

pytestmark = pytest.mark.long


def compare(kind: str, *arguments, tmp_path) -> list[dict]:
    assert PEER.exists(), f"{PEER} is missing: run `tools/setup.sh peer`"
    table = tmp_path / "table.json"
    command = [PEER, ROOT / "tests" / "parity" / "run.py", "--only", kind, "--json", table, *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert table.exists(), done.stdout
    return json.loads(table.read_text())["rows"]


@pytest.fixture
def glue() -> pathlib.Path:
    folder = os.environ.get("FEDTUNE_GLUE")
    if not folder:
        pytest.skip("set FEDTUNE_GLUE to a folder with CoLA/ and SST-2/, each with train.tsv and dev.tsv")
    return pathlib.Path(folder).resolve()


@pytest.mark.parametrize("kind", ["models", "distillation", "ids", "adapters"])
def test_ours_and_the_peers_results_agree(kind, tmp_path):
    rows = compare(kind, tmp_path=tmp_path)
    assert rows and [row for row in rows if not row["ok"]] == []


@pytest.mark.parametrize("kind", ["ids", "adapters"])
def test_they_agree_on_glue(kind, glue, tmp_path):
    rows = compare(kind, "--glue", glue, tmp_path=tmp_path)
    assert any("SST-2" in row["what"] for row in rows)
    assert [row for row in rows if not row["ok"]] == []
