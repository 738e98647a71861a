"""The teacher's fine-tuning on the public share, and the folder it leaves."""

import json
import re
import signal

import pytest
import safetensors_file
from harness import GOLDEN, MODEL_TYPES, TOKENIZER_FILES


@pytest.fixture
def pretrain_arguments(models, dataset, tmp_path):
    def arguments(**changes) -> list:
        options = {
            "teacher_ckpt": models["bert"],
            "data_path": dataset,
            "teacher_data_pct": 50,
            "teacher_pretrain_epochs": 3,
            "client_lr": "3e-3",
            "batch_size": 8,
            "output": tmp_path / "results",
        }
        options.update(changes)
        line = ["pretrain"]
        for option, value in options.items():
            if value is not None:
                line += [f"--{option}", value]
        return line

    return arguments


def model_folder(tmp_path, name: str):
    return tmp_path / "results" / "model" / name


def contents(folder) -> dict:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_the_teacher_is_saved_where_the_reference_saves_it(fedtune, pretrain_arguments, models, tmp_path, model_type):
    fedtune.run(*pretrain_arguments(teacher_ckpt=models[model_type]))
    folder = model_folder(tmp_path, f"{model_type}_cola_50pct_3epochs")
    files = {"config.json", "model.safetensors", "tokenizer_config.json"} | TOKENIZER_FILES[model_type]
    assert files <= set(contents(folder))
    trained, start = (safetensors_file.read(place / "model.safetensors") for place in (folder, GOLDEN / model_type))
    assert set(trained[0]) == set(start[0])
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_profile_says_where_the_time_of_the_teachers_steps_goes(fedtune, pretrain_arguments):
    printed = fedtune.run(*pretrain_arguments(teacher_pretrain_epochs=1), "--profile").stdout
    assert "teacher steps: " in printed and "matrix products" in printed


def test_eval_of_the_saved_teacher_gives_the_printed_scores(fedtune, pretrain_arguments, dataset, tmp_path):
    done = fedtune.run(*pretrain_arguments(teacher_pretrain_epochs=12))
    folder = model_folder(tmp_path, "bert_cola_50pct_12epochs")
    scores = json.loads(fedtune.run("eval", "--client-ckpt", folder, "--data-path", dataset, "--json").stdout)
    for expected in (f"{scores['accuracy']:.4f}   majority {scores['majority_accuracy']:.4f}", f"{scores['mcc']:.4f}",
                     f"loss      {scores['loss']:.4f}"):
        assert expected in done.stdout
    assert scores["accuracy"] > scores["majority_accuracy"]


def test_a_saved_teacher_can_be_fine_tuned_on(fedtune, pretrain_arguments, tmp_path):
    fedtune.run(*pretrain_arguments(teacher_pretrain_epochs=1))
    fedtune.run(*pretrain_arguments(teacher_ckpt=f"{model_folder(tmp_path, 'bert_cola_50pct_1epochs')}/"))
    assert model_folder(tmp_path, "bert_cola_50pct_1epochs_cola_50pct_3epochs").is_dir()


def test_the_same_seed_gives_the_same_bits_and_another_does_not(fedtune, pretrain_arguments, tmp_path):
    weights = {}
    for place, seed in (("one", 0), ("two", 0), ("other", 1)):
        fedtune.run(*pretrain_arguments(seed=seed, output=tmp_path / place))
        folder = tmp_path / place / "model" / "bert_cola_50pct_3epochs"
        weights[place] = (folder / "model.safetensors").read_bytes()
    assert weights["one"] == weights["two"] != weights["other"]


def test_only_the_public_share_is_trained_on(fedtune, pretrain_arguments, dataset_copy, tmp_path):
    fedtune.run(*pretrain_arguments())
    lines = (dataset_copy / "train.tsv").read_text().splitlines(keepends=True)
    (dataset_copy / "train.tsv").write_text("".join(lines[:61] + ["another sentence\t0\n"] * 60))
    fedtune.run(*pretrain_arguments(data_path=dataset_copy, output=tmp_path / "other"))
    name = "model/bert_cola_50pct_3epochs/model.safetensors"
    assert (tmp_path / "results" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_the_share_is_that_of_a_run_unless_it_is_said(fedtune, pretrain_arguments, tmp_path):
    done = fedtune.run(*pretrain_arguments(teacher_data_pct=None, num_clients=2, data_name="opinions"))
    assert "40 public sentences" in done.stdout
    assert model_folder(tmp_path, "bert_opinions_33pct_3epochs").is_dir()


def test_a_pipe_gets_one_line_per_epoch_and_quiet_nothing(fedtune, pretrain_arguments, tmp_path):
    lines = fedtune.run(*pretrain_arguments()).stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("epoch ")] == ["1/3", "2/3", "3/3"]
    done = fedtune.run(*pretrain_arguments(output=tmp_path / "quiet"), "--quiet")
    assert (done.stdout, done.stderr) == ("", "")


def test_a_teacher_made_with_the_same_options_is_left_alone(fedtune, pretrain_arguments, tmp_path):
    fedtune.run(*pretrain_arguments())
    before = contents(model_folder(tmp_path, "bert_cola_50pct_3epochs"))
    assert "is there already" in fedtune.run(*pretrain_arguments(), "--workers", 1).stdout
    assert contents(model_folder(tmp_path, "bert_cola_50pct_3epochs")) == before


def test_a_teacher_made_with_other_options_is_exit_2_and_says_which(fedtune, pretrain_arguments, tmp_path):
    fedtune.run(*pretrain_arguments())
    folder = model_folder(tmp_path, "bert_cola_50pct_3epochs")
    before = contents(folder)
    message = fedtune.error(*pretrain_arguments(seed=4), code=2)
    assert str(folder) in message and "--seed 4 (there 0)" in message and "--client-lr" not in message
    assert contents(folder) == before


def test_a_folder_of_somebody_else_is_exit_2(fedtune, pretrain_arguments, tmp_path):
    folder = model_folder(tmp_path, "bert_cola_50pct_3epochs")
    folder.mkdir(parents=True)
    (folder / "mine").write_text("")
    assert str(folder) in fedtune.error(*pretrain_arguments(), code=2)


@pytest.mark.parametrize("changes, message", [
    ({"teacher_data_pct": 0}, "--teacher-data-pct 0"),
    ({"teacher_data_pct": None, "num_clients": 200}, "100/(clients + 1)"),
    ({"teacher_pretrain_epochs": 0}, "--teacher-pretrain-epochs 0"),
])
def test_nothing_to_train_on_is_exit_2(fedtune, pretrain_arguments, tmp_path, changes, message):
    assert message in fedtune.error(*pretrain_arguments(**changes), code=2)
    assert not (tmp_path / "results").exists()


def test_a_share_that_rounds_to_no_sentence_is_exit_3(fedtune, pretrain_arguments):
    message = fedtune.error(*pretrain_arguments(teacher_data_pct=1, max_train_sentences=20), code=3)
    assert "raise --teacher-data-pct" in message


def test_a_diverging_teacher_is_named_and_leaves_nothing(fedtune, pretrain_arguments, tmp_path):
    message = fedtune.error(*pretrain_arguments(client_lr="1e30"), code=1)
    assert "training the teacher" in message and "learning rate below" in message
    assert list((tmp_path / "results" / "model").iterdir()) == []


EPOCHS = 12


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_pretraining_goes_on_to_the_same_bits(fedtune, pretrain_arguments, tmp_path, number, code):
    process = fedtune.start(*pretrain_arguments(teacher_pretrain_epochs=EPOCHS))
    for line in process.stdout:
        if line.startswith("epoch 2/"):
            break
    process.send_signal(number)
    process.stdout.read()
    assert "the same command goes on from here" in process.stderr.read()
    assert process.wait(timeout=60) == code
    name = f"bert_cola_50pct_{EPOCHS}epochs"
    assert [path.name for path in (tmp_path / "results" / "model").iterdir()] == [f"{name}.checkpoint"]

    printed = fedtune.run(*pretrain_arguments(teacher_pretrain_epochs=EPOCHS)).stdout
    assert "going on after step " in printed and "epoch 1/" not in printed
    assert [path.name for path in (tmp_path / "results" / "model").iterdir()] == [name]
    fedtune.run(*pretrain_arguments(teacher_pretrain_epochs=EPOCHS, output=tmp_path / "straight"))
    assert contents(model_folder(tmp_path, name)) == contents(tmp_path / "straight" / "model" / name)


def test_a_killed_pretraining_goes_on_after_its_last_checkpoint(fedtune, pretrain_arguments, tmp_path):
    arguments = pretrain_arguments(teacher_pretrain_epochs=EPOCHS)
    process = fedtune.start(*arguments, "--save-steps", 10)
    for line in process.stdout:
        if line.startswith("epoch 4/"):  # 32 steps
            break
    process.kill()
    process.communicate()
    printed = fedtune.run(*arguments).stdout
    assert int(re.search(r"going on after step (\d+)", printed).group(1)) >= 30
    name = f"bert_cola_50pct_{EPOCHS}epochs"
    fedtune.run(*pretrain_arguments(teacher_pretrain_epochs=EPOCHS, output=tmp_path / "straight"))
    assert contents(model_folder(tmp_path, name)) == contents(tmp_path / "straight" / "model" / name)


def test_a_checkpoint_of_other_options_is_not_gone_on_with(fedtune, pretrain_arguments, tmp_path):
    process = fedtune.start(*pretrain_arguments(teacher_pretrain_epochs=EPOCHS))
    for line in process.stdout:
        if line.startswith("epoch 2/"):
            break
    process.send_signal(signal.SIGINT)
    process.communicate()
    message = fedtune.error(*pretrain_arguments(teacher_pretrain_epochs=EPOCHS, seed=9), code=2)
    assert "another configuration" in message and "epochs.checkpoint" in message
