"""A trial of `make bench-peer`: both sides start, agree and are timed. No figure is judged."""

import json
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEER = ROOT / ".venv-peer" / "bin" / "python"

pytestmark = pytest.mark.long


def in_colas_form(source: pathlib.Path, target: pathlib.Path) -> None:
    rows = [line.split("\t") for line in source.read_text(encoding="utf-8").splitlines()[1:]]
    target.write_text("".join(f"opinions\t{label}\t\t{text}\n" for text, label in rows), encoding="utf-8")


def test_a_trial_of_the_comparison_ends_with_its_table_and_its_file(tmp_path):
    assert PEER.exists(), f"{PEER} is missing: run `tools/setup.sh peer`"
    opinions, data = ROOT / "examples" / "opinions", tmp_path / "data"
    (data / "CoLA").mkdir(parents=True)
    in_colas_form(opinions / "train.tsv", data / "CoLA" / "train.tsv")
    in_colas_form(opinions / "validation.tsv", data / "CoLA" / "dev.tsv")
    command = [PEER, ROOT / "bench" / "peer" / "bench.py", "--quick", "--rows", "lora", "--bench",
               ROOT / "build" / "bench" / "step_bench", "--data", data, "--vocabulary", ROOT / "models" / "minilm",
               "--work", tmp_path / "work", "--results", tmp_path / "results"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    result = json.loads((tmp_path / "work" / "trial" / "lora.json").read_text())
    shutil.rmtree(tmp_path / "work")  # half a gigabyte of weights
    assert not (tmp_path / "results").exists()  # a trial writes over no figures
    assert result["parity"]["logits"] <= 1e-5
    assert result["ships"][0] > 0 and result["tuned"][0] > 0
    assert 0 < result["of_fma_peak"][0] < 2
    assert done.stdout.splitlines()[-1].startswith("lora ")
