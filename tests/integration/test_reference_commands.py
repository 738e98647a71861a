"""The reference system's commands with the program's name alone changed, on the hub's names and its flags as it spells them.

The hub is on this machine and serves 2-layer random checkpoints under the real names, and sentences of our own as glue's cola.
"""

import json
import os

import pytest
from hub_server import Repository, serving
from test_multigpu import free_address, script, shell  # noqa: F401  a fixture
from test_parquet import single, write_glue

pytestmark = pytest.mark.long


@pytest.fixture
def environment(models, tmp_path):
    folder = write_glue(tmp_path / "served", "cola", {"train": single(120, 1), "validation": single(40, 2)})
    with serving() as hub:
        hub.add_model("google-bert/bert-base-uncased", models["bert"])
        hub.add_model("distilbert/distilbert-base-uncased", models["distilbert"])
        files = {f"cola/{path.name}": path.read_bytes() for path in folder.iterdir()}
        hub.datasets["nyu-mll/glue"] = Repository(files, lfs=set(files))
        hub.renamed |= {"bert-base-uncased": "google-bert/bert-base-uncased", "glue": "nyu-mll/glue",
                        "distilbert-base-uncased": "distilbert/distilbert-base-uncased"}
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING_FACE", "TRANSFORMERS_"))}
        yield kept | {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "hf")}


def pretrain(fedtune, environment, tmp_path) -> str:
    fedtune.run("pretrain", "--teacher_ckpt", "bert-base-uncased", "--data_name", "cola", "--teacher_data_pct", 20,
                "--teacher_pretrain_epochs", 1, env=environment, cwd=tmp_path)
    return "results/model/bert-base-uncased_cola_20pct_1epochs"


def result_of_the_run(tmp_path) -> dict:
    (path,) = (tmp_path / "results").glob("*.json")
    return json.loads(path.read_text())


def test_the_teacher_is_fine_tuned_into_the_folder_of_the_reference(fedtune, environment, tmp_path):
    folder = tmp_path / pretrain(fedtune, environment, tmp_path)
    assert {"config.json", "model.safetensors"} <= {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("name, options", [
    ("run", "--num_rounds 2 --client_epochs 1 --client_lr 5e-5"),
    ("run-lora", "--num_rounds 2 --lora_r 8 --data_name cola"),
    ("run-kd-lora", "--num_rounds 2 --lora_r 8 --kd_epochs 1 --distill_lr 5e-5 --client_ckpt distilbert-base-uncased"),
])
def test_a_scheme_runs_on_its_defaults(shell, environment, tmp_path, name, options):  # noqa: F811
    process = shell(script(name, f"4 {options} --address {free_address()}"), 'echo "status $?"', **environment)
    output, error = process.communicate(timeout=100)
    assert output.endswith("status 0\n"), output + error
    assert len(result_of_the_run(tmp_path)["fedtune"]["metrics"]) == 3


def test_the_teacher_that_was_fine_tuned_teaches(fedtune, shell, environment, tmp_path):  # noqa: F811
    teacher = pretrain(fedtune, environment, tmp_path)
    options = f"--teacher_ckpt {teacher} --teacher_data_pct 20 --num_rounds 1 --address {free_address()}"
    output, error = shell(script("run-kd-lora", f"4 {options}"), 'echo "status $?"', **environment).communicate(timeout=100)
    assert output.endswith("status 0\n"), output + error
    assert result_of_the_run(tmp_path)["fedtune"]["metrics"][-1]["teacher_accuracy"] > 0


def test_help_is_printed_once_and_nothing_runs(shell, environment, tmp_path):  # noqa: F811
    output, error = shell(script("run-kd-lora", "4 -h"), 'echo "status $?"', **environment).communicate(timeout=60)
    assert output.count("usage: fedtune server") == 1 and output.endswith("status 0\n"), error
    assert not (tmp_path / "results").exists()
