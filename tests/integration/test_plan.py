"""fedtune plan, against the run that it speaks of."""

import json

import pytest


@pytest.fixture
def plan(fedtune):
    """plan(run's arguments) is what fedtune plan says of them."""

    def ask(arguments: list) -> dict:
        return json.loads(fedtune.run("plan", *arguments[1:], "--json").stdout)

    return ask


@pytest.mark.parametrize("scheme", ["fedavg", "fedlora", "fedkdlora"])
def test_bytes_are_those_of_the_run_and_time_and_memory_are_near(fedtune, kd_arguments, results_of, plan, tmp_path,
                                                                 scheme):
    arguments = kd_arguments("a", scheme=scheme, num_clients=4, fraction_fit=0.5, num_rounds=4, workers=1)
    planned = plan(arguments)
    assert not (tmp_path / "results").exists()
    fedtune.run(*arguments)
    results = results_of("a")
    ours = results["fedtune"]
    assert planned["bytes"] == ours["bytes"]
    assert planned["total_bytes"] == sum(entry["up"] + entry["down"] for entry in ours["bytes"])
    # The machine is shared and the run is short: the bounds catch a wrong unit or a phase that is missing.
    for phase in ("train", "evaluate") + (("distil",) if scheme == "fedkdlora" else ()):
        ran = sum(entry[phase] for entry in ours["seconds"])
        assert ran / 8 < planned["seconds"][phase] < ran * 8 + 0.5, phase
    assert ours["peak_rss_bytes"] / 2 < planned["memory_bytes"] < ours["peak_rss_bytes"] * 2


def test_a_teacher_that_is_not_at_hand_is_left_out_and_said(plan, kd_arguments, tmp_path):
    planned = plan(kd_arguments("a", teacher_ckpt=f"{tmp_path}/nowhere", workers=1))
    assert any("teacher is not at hand" in note for note in planned["notes"])
    assert planned["seconds"]["distil"] == 0 and planned["seconds"]["train"] > 0


def test_a_head_that_is_most_of_the_payload_is_said_with_what_low_rank_would_send(plan, run_arguments, models):
    common = {"client_ckpt": models["distilbert"], "lora_r": 1, "workers": 1}
    planned = plan(run_arguments("a", **common))
    assert planned["head_bytes"] * 2 > planned["payload_bytes"]
    (note,) = [note for note in planned["notes"] if "--train-head low-rank" in note]
    low = plan(run_arguments("a", train_head="low-rank", **common))["payload_bytes"]
    assert low < planned["payload_bytes"] and f"would send {low / 1000:.1f} kB" in note


def test_for_people_it_says_bytes_memory_and_time(fedtune, run_arguments):
    text = fedtune.run("plan", *run_arguments("a", workers=1)[1:]).stdout
    for expected in ("per client, round and direction", "bytes in all", "memory", "time of a round"):
        assert expected in text


def test_without_the_student_there_is_no_plan(fedtune, run_arguments, tmp_path):
    fedtune.error("plan", *run_arguments("a", client_ckpt=f"{tmp_path}/nowhere")[1:], code=3)
