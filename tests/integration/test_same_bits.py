"""The same options give the same bits, however the work was spread or cut."""

import json
import signal

import pytest
from harness import MODEL_TYPES


@pytest.mark.parametrize("scheme", ["fedavg", "fedlora"])
@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_workers_and_repetition_change_nothing(fedtune, run_arguments, models, results_of, scheme, model_type):
    hashes = set()
    for name, workers in (("one", 1), ("two", 2), ("again", 2)):
        arguments = run_arguments(name, scheme=scheme, client_ckpt=models[model_type], num_clients=3, workers=workers)
        fedtune.run(*arguments)
        hashes.add(results_of(name)["fedtune"]["final_sha256"])
    assert len(hashes) == 1


@pytest.mark.parametrize("scheme", ["fedavg", "fedlora"])
def test_one_client_uses_the_cores_that_would_be_idle_and_gives_the_same_bits(
    fedtune, run_arguments, results_of, scheme):
    for workers in (1, 2):
        fedtune.run(*run_arguments(str(workers), scheme=scheme, num_clients=1, workers=workers))
    assert results_of("1")["fedtune"]["final_sha256"] == results_of("2")["fedtune"]["final_sha256"]


def test_another_seed_gives_other_bits(fedtune, run_arguments, results_of):
    for name, seed in (("a", 0), ("b", 1)):
        fedtune.run(*run_arguments(name, seed=seed, num_rounds=1))
    assert results_of("a")["fedtune"]["final_sha256"] != results_of("b")["fedtune"]["final_sha256"]


ROUNDS = 12


def interrupt_in_round_3(fedtune, arguments, *signals):
    """Starts a run, sends the signals once two rounds are printed; the process and what it wrote to stderr."""
    process = fedtune.start(*arguments, "--progress", "plain")
    for line in process.stdout:
        if line.startswith(f"round 2/{ROUNDS}"):
            break
    for number in signals:
        process.send_signal(number)
    process.stdout.read()
    stderr = process.stderr.read()
    process.wait(timeout=60)
    return process, stderr


def rounds_in_log(tmp_path, name: str) -> list[int]:
    lines = (tmp_path / "results" / name / "events.jsonl").read_text().splitlines()
    return [event["round"] for event in map(json.loads, lines) if event["event"] == "round"]


@pytest.fixture
def long_arguments(run_arguments):
    return lambda name: run_arguments(name, num_rounds=ROUNDS, client_epochs=6)


@pytest.fixture
def undisturbed(fedtune, long_arguments, results_of):
    def run() -> dict:
        fedtune.run(*long_arguments("straight"))
        return results_of("straight")["fedtune"]

    return run


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_goes_on_to_the_same_bits(
    fedtune, long_arguments, undisturbed, results_of, tmp_path, number, code):
    process, stderr = interrupt_in_round_3(fedtune, long_arguments("cut"), number)
    folder = tmp_path / "results" / "cut"
    assert process.returncode == code
    assert f"fedtune run --resume {folder}" in stderr
    assert not (folder / "results.json").exists()

    fedtune.run("run", "--resume", folder)
    straight, resumed = undisturbed(), results_of("cut")["fedtune"]
    assert resumed["final_sha256"] == straight["final_sha256"]
    assert resumed["metrics"] == straight["metrics"] and resumed["bytes"] == straight["bytes"]
    assert rounds_in_log(tmp_path, "cut") == list(range(1, ROUNDS + 1))


def test_a_second_signal_stops_at_once_and_the_run_can_go_on(
    fedtune, long_arguments, undisturbed, results_of, tmp_path):
    process, _ = interrupt_in_round_3(fedtune, long_arguments("cut"), signal.SIGINT, signal.SIGTERM)
    assert process.returncode in (130, 143)
    fedtune.run("run", "--resume", tmp_path / "results" / "cut")
    assert results_of("cut")["fedtune"]["final_sha256"] == undisturbed()["final_sha256"]


def test_a_killed_run_goes_on_to_the_same_bits(fedtune, long_arguments, undisturbed, results_of, tmp_path):
    process, _ = interrupt_in_round_3(fedtune, long_arguments("cut"), signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    fedtune.run("run", "--resume", tmp_path / "results" / "cut", "--workers", 1, "--progress", "none")
    assert results_of("cut")["fedtune"]["final_sha256"] == undisturbed()["final_sha256"]
    assert rounds_in_log(tmp_path, "cut") == list(range(1, ROUNDS + 1))


def test_a_run_can_be_resumed_by_its_name(fedtune, long_arguments, tmp_path):
    interrupt_in_round_3(fedtune, long_arguments("cut"), signal.SIGINT)
    fedtune.run("run", "--resume", "cut", "--output", tmp_path / "results")
    assert rounds_in_log(tmp_path, "cut") == list(range(1, ROUNDS + 1))


def test_a_finished_run_says_so_and_is_left_alone(fedtune, run_arguments, tmp_path):
    fedtune.run(*run_arguments("a"))
    folder = tmp_path / "results" / "a"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = fedtune.run("run", "--resume", folder)
    assert "finished" in done.stdout
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
