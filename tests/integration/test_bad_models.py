"""Checkpoints and adapters that are damaged: exit 3, a message that says what and where, nothing left behind."""

import json
import math
import shutil
import struct

import pytest
import safetensors_file
from harness import GOLDEN, MODEL_TYPES


@pytest.fixture
def refusal(fedtune, run_arguments, tmp_path):
    """refusal(folder): what `run` says about a checkpoint; no run folder is made."""

    def check(folder) -> str:
        message = fedtune.error(*run_arguments("a", client_ckpt=folder), code=3)
        assert not (tmp_path / "results").exists()
        return message

    return check


def edit_tensors(folder, edit) -> None:
    """edit(header, tensors) changes both in place."""
    path = folder / "model.safetensors"
    header, tensors = safetensors_file.read(path)
    edit(header, tensors)
    safetensors_file.write(path, header, tensors)


def edit_config(folder, **changes) -> None:
    config = json.loads((folder / "config.json").read_text())
    config.update(changes)
    (folder / "config.json").write_text(json.dumps(config))


def a_weight(folder) -> str:
    """A matrix of the encoder's first layer."""
    names = safetensors_file.read(folder / "model.safetensors")[0]
    return next(name for name in names if name.endswith((".query.weight", ".q_lin.weight")))


def test_a_missing_folder(refusal, tmp_path):
    assert "nowhere" in refusal(tmp_path / "nowhere")


def test_a_missing_config(refusal, model_copy):
    folder = model_copy("bert")
    (folder / "config.json").unlink()
    assert "config.json" in refusal(folder)


def test_a_config_that_is_no_json(refusal, model_copy):
    folder = model_copy("bert")
    (folder / "config.json").write_text('{"model_type": "bert",')
    assert "config.json" in refusal(folder)


def test_an_unknown_model_type(refusal, model_copy):
    folder = model_copy("bert")
    edit_config(folder, model_type="bertt")
    message = refusal(folder)
    assert 'unknown model_type "bertt"' in message and '"bert"' in message


def test_a_size_that_is_no_number(refusal, model_copy):
    folder = model_copy("bert")
    edit_config(folder, hidden_size="large")
    assert "hidden_size" in refusal(folder)


@pytest.mark.parametrize("size", [0, -32, 1 << 60])
def test_a_size_out_of_range(refusal, model_copy, size):
    folder = model_copy("bert")
    edit_config(folder, hidden_size=size)
    refusal(folder)


def test_missing_safetensors(refusal, model_copy):
    folder = model_copy("bert")
    (folder / "model.safetensors").unlink()
    assert "model.safetensors" in refusal(folder)


def test_a_pickle_is_refused_with_the_way_to_convert_it(refusal, model_copy):
    folder = model_copy("bert")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    message = refusal(folder)
    assert "pytorch_model.bin" in message and "pickle" in message and "safetensors" in message


@pytest.mark.parametrize("keep", [0, 4, 8, 200, -1])
def test_truncated_safetensors(refusal, model_copy, keep):
    path = model_copy("bert") / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    assert "model.safetensors" in refusal(path.parent)


def test_a_header_longer_than_the_file(refusal, model_copy):
    path = model_copy("bert") / "model.safetensors"
    path.write_bytes(struct.pack("<Q", 1 << 62) + path.read_bytes()[8:])
    assert "model.safetensors" in refusal(path.parent)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_a_wrong_shape_names_tensor_found_and_expected(refusal, model_copy, model_type):
    folder = model_copy(model_type)
    name = a_weight(folder)

    def halve(header, tensors):
        header[name]["shape"] = [16, 32]
        tensors[name] = tensors[name][: len(tensors[name]) // 2]

    edit_tensors(folder, halve)
    message = refusal(folder)
    assert name in message and "[16, 32]" in message and "[32, 32]" in message


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_a_missing_key_is_named(refusal, model_copy, model_type):
    folder = model_copy(model_type)
    name = a_weight(folder)
    edit_tensors(folder, lambda header, tensors: header.pop(name))
    message = refusal(folder)
    assert name in message and "missing" in message


def test_half_a_head_is_no_head(refusal, model_copy):
    folder = model_copy("bert")
    edit_tensors(folder, lambda header, tensors: header.pop("classifier.bias"))
    assert "classifier.bias" in refusal(folder)


def test_an_unexpected_key_is_named_with_the_nearest(refusal, model_copy):
    folder = model_copy("bert")
    name = a_weight(folder)

    def add(header, tensors):
        header[name + "s"] = dict(header[name])
        tensors[name + "s"] = tensors[name]

    edit_tensors(folder, add)
    message = refusal(folder)
    assert name + "s" in message and "unexpected" in message


def test_a_missing_tokenizer(refusal, model_copy):
    folder = model_copy("bert")
    (folder / "vocab.txt").unlink()
    assert "vocab.txt" in refusal(folder)


def test_a_tokenizer_of_another_model(refusal, model_copy):
    folder = model_copy("bert")
    with (folder / "vocab.txt").open("a") as vocabulary:
        vocabulary.write("another\nand\none\n")
    assert "embeddings" in refusal(folder)


@pytest.mark.parametrize("command", ["eval", "predict"])
def test_scoring_needs_a_head(fedtune, model_copy, dataset, command):
    folder = model_copy("bert")
    edit_tensors(folder, lambda header, tensors: [header.pop(f"classifier.{part}") for part in ("weight", "bias")])
    message = fedtune.error(command, "--client-ckpt", folder, "--data-path", dataset, code=3, input="")
    assert "classifier" in message


def not_a_number(folder) -> None:
    """NaN in one weight."""
    name = a_weight(folder)

    def spoil(header, tensors):
        patterns = {"F32": struct.pack("<f", math.nan), "F16": b"\x00\x7e", "BF16": b"\xc0\x7f"}
        value = patterns[header[name]["dtype"]]
        tensors[name] = value + tensors[name][len(value) :]

    edit_tensors(folder, spoil)


def test_weights_with_nan_end_the_run_and_name_client_round_and_step(fedtune, run_arguments, model_copy):
    folder = model_copy("bert")
    not_a_number(folder)
    message = fedtune.error(*run_arguments("a", client_ckpt=folder), code=1)
    assert "client 1, round 1, step 1" in message and "nan" in message


def test_contributions_that_explode_end_the_run(fedtune, run_arguments):
    message = fedtune.error(*run_arguments("a", client_lr="1e30"), code=1)
    assert "client 1: the norm of its values" in message and "diverged" in message


def test_a_loss_that_explodes_ends_the_run_and_the_last_good_state_stays(fedtune, run_arguments, tmp_path):
    message = fedtune.error(*run_arguments("a", scheme="fedavg", client_lr="1e30"), code=1)
    assert "client 1, round 1, step 2: the loss is nan" in message and "learning rate below 1e+30" in message
    folder = tmp_path / "results" / "a"
    assert list((folder / "checkpoint").iterdir()) != []
    assert not (folder / "results.json").exists() and not (folder / "adapter").exists()


@pytest.fixture
def adapter_copy(tmp_path):
    folder = tmp_path / "adapter"
    shutil.copytree(GOLDEN / "bert" / "adapter", folder)
    return folder


@pytest.fixture
def adapter_refusal(fedtune, models, dataset, adapter_copy):
    def check() -> str:
        return fedtune.error("eval", "--client-ckpt", models["bert"], "--adapter", adapter_copy, "--data-path", dataset,
                             code=3)

    return check


def edit_adapter(folder, **changes) -> None:
    config = json.loads((folder / "adapter_config.json").read_text())
    config.update(changes)
    (folder / "adapter_config.json").write_text(json.dumps(config))


def test_a_missing_adapter(fedtune, models, dataset, tmp_path):
    assert "nowhere" in fedtune.error("eval", "--client-ckpt", models["bert"], "--adapter", tmp_path / "nowhere",
                                      "--data-path", dataset, code=3)


@pytest.mark.parametrize("change", [{"peft_type": "IA3"}, {"use_dora": True}, {"use_rslora": True}, {"r": 0}])
def test_an_adapter_of_another_method(adapter_refusal, adapter_copy, change):
    edit_adapter(adapter_copy, **change)
    assert "adapter" in adapter_refusal()


def test_an_adapter_of_another_rank(adapter_refusal, adapter_copy):
    edit_adapter(adapter_copy, r=5)
    assert "lora_A" in adapter_refusal()


def test_an_adapter_for_another_model(fedtune, models, dataset):
    message = fedtune.error("eval", "--client-ckpt", models["distilbert"], "--adapter", GOLDEN / "bert" / "adapter",
                            "--data-path", dataset, code=3)
    assert "query" in message


def test_a_truncated_adapter(adapter_refusal, adapter_copy):
    path = adapter_copy / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    assert "adapter_model.safetensors" in adapter_refusal()
