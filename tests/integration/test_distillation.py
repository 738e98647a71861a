"""FedKDLoRA, in a run and as a step of its own."""

import json
import shutil
import signal

import pytest
import safetensors_file
from harness import SAME_TOKENS
from test_same_bits import ROUNDS, interrupt_in_round_3, rounds_in_log


@pytest.mark.parametrize("teacher, student", SAME_TOKENS)
def test_a_model_teaches_any_that_reads_the_same_tokens(fedtune, kd_arguments, models, results_of, teacher, student):
    fedtune.run(*kd_arguments("a", client_ckpt=models[student], teacher_ckpt=models[teacher]))
    ours = results_of("a")["fedtune"]
    assert ours["scheme"] == "fedkdlora"
    assert all({"teacher_loss", "teacher_accuracy"} <= set(entry) for entry in ours["metrics"])
    assert len(ours["checkpoints"]["teacher"]) == 64
    assert (ours["checkpoints"]["teacher"] == ours["checkpoints"]["client"]) == (teacher == student)


def test_the_reference_systems_central_series_start_at_round_0(fedtune, kd_arguments, results_of):
    done = fedtune.run(*kd_arguments("a"))
    results = results_of("a")["results"]
    central = results["metrics_centralized"]
    assert set(central) == {"teacher_loss", "teacher_accuracy", "student_loss", "student_accuracy"}
    for series in (results["losses_centralized"], *central.values()):
        assert [entry[0] for entry in series] == [0, 1, 2]
    for (_, both), (_, teacher), (_, student) in zip(
        results["losses_centralized"], central["teacher_loss"], central["student_loss"]):
        assert both == pytest.approx((teacher + student) / 2)
    assert results["losses_distributed"] == central["student_loss"][1:]
    assert "teacher" in done.stdout


def test_events_tell_of_the_teacher_and_of_the_servers_time(fedtune, kd_arguments, results_of, tmp_path):
    fedtune.run(*kd_arguments("a"))
    lines = (tmp_path / "results" / "a" / "events.jsonl").read_text().splitlines()
    rounds = [event for event in map(json.loads, lines) if event["event"] in ("start", "round")]
    assert [event["round"] for event in rounds] == [0, 1, 2]
    metrics = results_of("a")["fedtune"]["metrics"]
    assert [event["teacher_loss"] for event in rounds] == [entry["teacher_loss"] for entry in metrics]
    assert all(entry["distil"] > 0 for entry in results_of("a")["fedtune"]["seconds"])


def test_a_teacher_lifts_the_student_above_the_federation_alone(fedtune, kd_arguments, results_of):
    common = {"teacher_data_pct": 40, "num_rounds": 4, "client_lr": "1e-3"}
    fedtune.run(*kd_arguments("alone", scheme="fedlora", **common))
    fedtune.run(*kd_arguments("taught", distill_lr="5e-3", kd_epochs=4, teacher_pretrain_epochs=4, **common))
    alone, taught = (results_of(name)["fedtune"]["metrics"][-1]["loss"] for name in ("alone", "taught"))
    assert taught < alone - 0.05


@pytest.mark.parametrize("loss", ["corrected", "reference"])
def test_workers_and_repetition_change_nothing(fedtune, kd_arguments, models, results_of, loss):
    hashes = set()
    for name, workers in (("one", 1), ("two", 2), ("again", 2)):
        fedtune.run(*kd_arguments(name, client_ckpt=models["distilbert"], kd_loss=loss, workers=workers))
        hashes.add(results_of(name)["fedtune"]["final_sha256"])
    assert len(hashes) == 1


def test_every_option_of_distillation_changes_the_result(fedtune, kd_arguments, results_of):
    hashes = set()
    variants = [{}, {"kd_loss": "reference"}, {"kd_temperature": 4}, {"teacher_guard": "on"}, {"kd_epochs": 2},
                {"teacher_pretrain_epochs": 2}, {"distill_lr": "2e-3"}, {"student_lr": "4e-3"}, {"kd_epochs": 0},
                {"kd_terms": "none"}, {"kd_terms": "kl"}, {"kd_terms": "attention"},
                {"distill_lr": 0, "student_lr": "1e-3"}]
    for number, changes in enumerate(variants):
        fedtune.run(*kd_arguments(f"{number}", num_rounds=1, **({"teacher_guard": "off"} | changes)))
        hashes.add(results_of(f"{number}")["fedtune"]["final_sha256"])
    assert len(hashes) == len(variants)


def test_the_guard_is_off_by_default_with_the_references_loss(fedtune, kd_arguments, results_of):
    for loss, guard in (("corrected", "on"), ("reference", "off")):
        fedtune.run(*kd_arguments(loss, kd_loss=loss, num_rounds=1))
        assert results_of(loss)["config"]["teacher_guard"] == guard


def test_a_teacher_of_rate_0_is_frozen_and_still_teaches(fedtune, kd_arguments, results_of):
    frozen = {"distill_lr": 0, "student_lr": "1e-3", "num_rounds": 2}
    fedtune.run(*kd_arguments("taught", **frozen))
    fedtune.run(*kd_arguments("untaught", **frozen, kd_terms="none"))
    taught, untaught = (results_of(name)["fedtune"] for name in ("taught", "untaught"))
    assert len({entry["teacher_loss"] for entry in taught["metrics"] + untaught["metrics"]}) == 1
    assert taught["final_sha256"] != untaught["final_sha256"]
    assert results_of("taught")["config"]["teacher_guard"] == "off"


@pytest.fixture
def long_arguments(kd_arguments):
    """A teacher that learns throughout, or one that the guard stops in the first round."""
    return lambda name, learns: kd_arguments(
        name, num_rounds=ROUNDS, client_epochs=4, distill_lr="2e-3" if learns else "0.5",
        teacher_guard="off" if learns else "on")


@pytest.mark.parametrize("learns", [True, False], ids=["learning", "stopped"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_was_cut_goes_on_to_the_same_bits(
    fedtune, long_arguments, results_of, tmp_path, number, learns):
    interrupt_in_round_3(fedtune, long_arguments("cut", learns), number)
    folder = tmp_path / "results" / "cut"
    assert not (folder / "results.json").exists()
    assert list((folder / "checkpoint").glob("state-*.safetensors"))

    fedtune.run("run", "--resume", folder, "--workers", 1)
    fedtune.run(*long_arguments("straight", learns))
    straight, resumed = (results_of(name)["fedtune"] for name in ("straight", "cut"))
    assert resumed["final_sha256"] == straight["final_sha256"]
    assert resumed["metrics"] == straight["metrics"]
    assert rounds_in_log(tmp_path, "cut") == list(range(1, ROUNDS + 1))
    assert len({entry["teacher_loss"] for entry in straight["metrics"]}) == (ROUNDS + 1 if learns else 1)


def test_a_teacher_that_has_stopped_is_saved_once(fedtune, long_arguments, tmp_path):
    fedtune.run(*long_arguments("a", False))
    names = [path.name for path in (tmp_path / "results" / "a" / "checkpoint").glob("state-*")]
    assert names == ["state-0001.safetensors"]


@pytest.mark.parametrize("changes, message", [
    ({"teacher_data_pct": 0}, "needs a public share"),
    ({"num_clients": 100}, "100 / (clients + 1)"),
    ({"max_train_sentences": 3, "teacher_data_pct": 34}, "--teacher-guard off"),
    ({"kd_temperature": 0}, "--kd-temperature"),
    ({"distill_lr": 0}, "give --student-lr"),
])
def test_what_cannot_be_distilled_is_refused(fedtune, kd_arguments, tmp_path, changes, message):
    assert message in fedtune.error(*kd_arguments("a", **changes), code=2)
    assert not (tmp_path / "results").exists()


def edit_config(folder, **changes) -> None:
    config = json.loads((folder / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(config))


def test_heads_that_differ_are_refused(fedtune, kd_arguments, model_copy, tmp_path):
    teacher = model_copy("bert")
    edit_config(teacher, num_attention_heads=2)
    message = fedtune.error(*kd_arguments("a", teacher_ckpt=teacher), code=2)
    assert "the teacher has 2 heads, the student 4" in message
    assert not (tmp_path / "results").exists()


def test_layers_that_are_no_multiple_are_refused(fedtune, kd_arguments, model_copy):
    teacher = model_copy("bert")
    edit_config(teacher, num_hidden_layers=1)
    path = teacher / "model.safetensors"
    header, tensors = safetensors_file.read(path)
    header = {name: entry for name, entry in header.items() if ".layer.1." not in name}
    safetensors_file.write(path, header, tensors)
    assert "1 layers, expected a multiple of the student's 2" in fedtune.error(
        *kd_arguments("a", teacher_ckpt=teacher), code=2)


def cut_rows(folder, name: str, rows: int) -> None:
    path = folder / "model.safetensors"
    header, tensors = safetensors_file.read(path)
    (full, entry), = [item for item in header.items() if item[0].endswith(name)]
    tensors[full] = tensors[full][: len(tensors[full]) // entry["shape"][0] * rows]
    entry["shape"][0] = rows
    safetensors_file.write(path, header, tensors)


def test_a_teacher_that_does_not_know_the_students_words_is_refused(fedtune, kd_arguments, model_copy):
    teacher = model_copy("bert")
    edit_config(teacher, vocab_size=50)
    cut_rows(teacher, "word_embeddings.weight", 50)
    assert "but has embeddings for 50" in fedtune.error(*kd_arguments("a", teacher_ckpt=teacher), code=2)


@pytest.mark.parametrize("teacher, student", [("roberta", "bert"), ("bert", "roberta")])
def test_a_teacher_with_another_tokenizer_is_refused(fedtune, kd_arguments, models, tmp_path, teacher, student):
    message = fedtune.error(*kd_arguments("a", client_ckpt=models[student], teacher_ckpt=models[teacher]), code=2)
    assert "--teacher-ckpt: the teacher is given the student's token ids" in message and "vocabulary" in message
    assert not (tmp_path / "results").exists()


def test_a_teacher_with_the_same_words_under_other_ids_is_refused(fedtune, kd_arguments, model_copy):
    teacher = model_copy("bert")
    words = (teacher / "vocab.txt").read_text().splitlines()
    words[-1], words[-2] = words[-2], words[-1]
    (teacher / "vocab.txt").write_text("\n".join(words) + "\n")
    message = fedtune.error(*kd_arguments("a", teacher_ckpt=teacher), code=2)
    assert f"the student's '{min(words[-2:])}' under the same id" in message
    (teacher / "vocab.txt").unlink()  # a teacher need not bring a tokenizer
    fedtune.run(*kd_arguments("a", teacher_ckpt=teacher, num_rounds=1))


def test_a_teacher_with_too_few_positions_is_refused(fedtune, kd_arguments, model_copy):
    teacher = model_copy("bert")
    edit_config(teacher, max_position_embeddings=5)
    cut_rows(teacher, "position_embeddings.weight", 5)
    message = fedtune.error(*kd_arguments("a", teacher_ckpt=teacher), code=2)
    assert "--max-length 5" in message
    fedtune.run(*kd_arguments("a", teacher_ckpt=teacher, max_length=5, num_rounds=1))


def test_a_teacher_without_a_head_gets_one_of_its_own(fedtune, kd_arguments, model_copy, results_of):
    teacher = model_copy("bert")
    path = teacher / "model.safetensors"
    header, tensors = safetensors_file.read(path)
    header = {name: entry for name, entry in header.items() if not name.startswith("classifier.")}
    safetensors_file.write(path, header, tensors)
    done = fedtune.run(*kd_arguments("a", client_ckpt=teacher, teacher_ckpt=teacher, num_rounds=1))
    assert "the teacher's checkpoint has no classification head" in done.stdout
    start = results_of("a")["fedtune"]["metrics"][0]
    assert start["teacher_loss"] != start["loss"]  # the same encoder, another head


def test_a_missing_teacher_is_an_input_error(fedtune, kd_arguments, tmp_path):
    assert "nowhere" in fedtune.error(*kd_arguments("a", teacher_ckpt=tmp_path / "nowhere"), code=3)


# The step on its own.


@pytest.fixture
def step(fedtune, kd_arguments, tmp_path):
    """step(round, adapters, output, option=value...): the folders named last lie under tmp_path."""

    def run(round_number, adapters, output, code=0, **changes):
        options = {"name": None, "num_rounds": 1, "round": round_number, "adapters": adapters,
                   "output": tmp_path / output, "state": tmp_path / "state"} | changes
        arguments = ["distill", *kd_arguments(**options)[1:]]
        return fedtune.run(*arguments) if code == 0 else fedtune.error(*arguments, code=code)

    return run


@pytest.fixture
def averaged(fedtune, kd_arguments, tmp_path):
    """The adapters of a first round before they are distilled."""
    fedtune.run(*kd_arguments("averaged", scheme="fedlora", num_rounds=1))
    return tmp_path / "results" / "averaged" / "adapter"


def weights(folder) -> bytes:
    return (folder / "adapter_model.safetensors").read_bytes()


@pytest.mark.parametrize("teacher, student", [("bert", "bert"), ("bert", "distilbert"), ("roberta", "roberta")])
def test_a_step_gives_the_bits_of_the_round_of_a_run(fedtune, kd_arguments, models, step, tmp_path, teacher, student):
    both = {"client_ckpt": models[student], "teacher_ckpt": models[teacher]}
    fedtune.run(*kd_arguments("averaged", scheme="fedlora", num_rounds=1, client_ckpt=models[student]))
    fedtune.run(*kd_arguments("run", num_rounds=1, **both))
    results = tmp_path / "results"
    step(1, results / "averaged" / "adapter", "out", workers=1, **both)
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (tmp_path / "out" / name).read_bytes() == (results / "run" / "adapter" / name).read_bytes()


def test_a_step_that_is_done_gives_its_output_again(step, averaged, tmp_path):
    step(1, averaged, "first")
    kept = {path: path.read_bytes() for path in (tmp_path / "state").iterdir()}
    step(1, averaged, "again")
    assert weights(tmp_path / "first") == weights(tmp_path / "again") != weights(averaged)
    assert kept == {path: path.read_bytes() for path in (tmp_path / "state").iterdir()}


def test_a_step_that_was_killed_while_saving_is_done_again_to_the_same_bits(step, averaged, tmp_path):
    step(1, averaged, "one")
    shutil.copytree(tmp_path / "state", tmp_path / "other")
    step(2, tmp_path / "one", "two")
    # All but the record that makes the round one.
    for path in (tmp_path / "state").iterdir():
        if path.name != "round-0002.json":
            shutil.copy(path, tmp_path / "other" / path.name)
    step(2, tmp_path / "one", "two-again", state=tmp_path / "other")
    assert weights(tmp_path / "two") == weights(tmp_path / "two-again") != weights(tmp_path / "one")


def test_the_teacher_of_the_round_before_goes_on(step, averaged, tmp_path):
    step(1, averaged, "one", teacher_guard="off")
    step(2, averaged, "two", teacher_guard="off")
    step(2, averaged, "fresh", state=tmp_path / "fresh", teacher_guard="off")
    assert weights(tmp_path / "two") != weights(tmp_path / "fresh")


def test_a_step_behind_the_state_is_refused(step, averaged):
    step(2, averaged, "out")
    assert "--round 1 is behind" in step(1, averaged, "out", code=2)


def test_a_step_with_other_options_is_refused(step, averaged):
    step(1, averaged, "out")
    assert "another configuration" in step(2, averaged, "out", code=2, distill_lr="5e-3")


@pytest.mark.parametrize("missing", ["state", "round", "adapters", "output"])
def test_what_a_step_needs_is_asked_for(fedtune, missing):
    needed = {"state": "s", "round": 1, "adapters": "a", "output": "o"}
    arguments = [text for name, value in needed.items() if name != missing for text in (f"--{name}", value)]
    assert f"--{missing} is missing" in fedtune.error("distill", *arguments, code=2)


def test_adapters_of_another_rank_are_refused(step, averaged):
    assert "--lora-r 4" in step(1, averaged, "out", code=2, lora_r=4)


def test_adapters_of_other_layers_are_refused(step, averaged, tmp_path):
    assert "--target-modules" in step(1, averaged, "out", code=3, target_modules="query")
    assert "is missing" in step(1, averaged, "out", code=3, target_modules="query,key")
    assert not (tmp_path / "out").exists()


def test_missing_adapters_are_an_input_error(step, tmp_path):
    assert "nowhere" in step(1, tmp_path / "nowhere", "out", code=3)
