"""A run is recomputed from its log, and what was altered is found."""

import hashlib
import json
import signal

import pytest
import safetensors_file
from test_network import Served


def events_of(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def alter_log(folder, change) -> None:
    """change(event) edits the events in place."""
    events = events_of(folder)
    for event in events:
        change(event)
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))


@pytest.mark.parametrize("scheme", ["fedavg", "fedlora", "fedkdlora"])
def test_a_run_replays(fedtune, kd_arguments, results_of, tmp_path, scheme):
    fedtune.run(*kd_arguments("a", scheme=scheme, num_clients=3, fraction_fit=0.67))
    folder = tmp_path / "results" / "a"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    printed = fedtune.run("replay", folder, "--workers", 1).stdout
    assert "2 rounds recomputed, every hash is the run's" in printed
    assert results_of("a")["fedtune"]["final_sha256"] in printed.splitlines()[-2]
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_that_was_cut_replays_as_far_as_it_came(fedtune, run_arguments, tmp_path):
    process = fedtune.start(*run_arguments("a", num_rounds=12, client_epochs=6), "--progress", "plain")
    for line in process.stdout:
        if line.startswith("round 2/12"):
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert "every hash is the run's" in fedtune.run("replay", "a", "--output", tmp_path / "results").stdout


def test_a_server_run_whose_client_was_killed_replays(fedtune, run_arguments, results_of, tmp_path):
    served = Served(fedtune, ["server", *run_arguments("a", num_rounds=5, client_epochs=4, round_timeout=3,
                                                       min_clients=1)[1:]])
    served.join(1)
    doomed = served.join(2)
    served.read_until("round 1/5")
    doomed.kill()
    doomed.wait()
    del served.clients[2]
    served.read_until("client 2 is left out")
    served.finish()
    folder = tmp_path / "results" / "a"
    accepted = [event["accepted"] for event in events_of(folder) if event["event"] == "round"]
    assert accepted[0] == [1, 2] and [1] in accepted
    printed = fedtune.run("replay", folder).stdout
    assert results_of("a")["fedtune"]["final_sha256"] in printed and "every hash is the run's" in printed


@pytest.fixture
def finished(fedtune, run_arguments, tmp_path):
    fedtune.run(*run_arguments("a", num_rounds=3))
    return tmp_path / "results" / "a"


def changed(kind, round_, key, value):
    def change(event):
        if event["event"] == kind and event["round"] == round_ and event.get("rank", 1) == 1:
            event[key] = value

    return change


@pytest.mark.parametrize("change, message", [
    (changed("client", 2, "weight", 7.0), "round 2: the global tensors have the SHA-256"),
    (changed("measured", 2, "sha256", "0" * 64), "round 2: the contribution of client 1 has the SHA-256"),
    (changed("round", 1, "global_sha256", "0" * 64), "round 1: the global tensors"),
    (changed("round", 3, "accuracy", 0.999), "round 3: the accuracy is"),
    (changed("round", 2, "accepted", [2]), "round 2: the global tensors"),
    (changed("round_start", 3, "cohort", [1]), "round 3: the seed draws the clients 1, 2"),
])
def test_an_altered_log_is_found(fedtune, finished, change, message):
    alter_log(finished, change)
    assert message in fedtune.error("replay", finished, code=1)


def test_a_log_without_a_round_is_found(fedtune, finished):
    lines = (finished / "events.jsonl").read_text().splitlines(keepends=True)
    (finished / "events.jsonl").write_text("".join(line for line in lines if '"round":2' not in line))
    assert "found round 3, expected round 2" in fedtune.error("replay", finished, code=3)


def test_an_altered_checkpoint_is_found_even_where_its_checksums_were_made_anew(fedtune, finished):
    tensors = finished / "checkpoint" / "round-0003.safetensors"
    header, values = safetensors_file.read(tensors)
    name = next(iter(header))
    values[name] = bytes(4) + values[name][4:]
    safetensors_file.write(tensors, header, values)
    assert "checksum does not match" in fedtune.error("replay", finished, code=3)

    record_file = finished / "checkpoint" / "round-0003.json"
    record = json.loads(record_file.read_text())
    record["state"]["tensors_sha256"] = hashlib.sha256(tensors.read_bytes()).hexdigest()
    text = json.dumps(record["state"], sort_keys=True, separators=(",", ":"))
    record["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    record_file.write_text(json.dumps(record))
    assert "round 3: the global tensors have the SHA-256" in fedtune.error("replay", finished, code=1)


def test_altered_results_are_found(fedtune, finished):
    results = finished / "results.json"
    content = json.loads(results.read_text())
    content["fedtune"]["final_sha256"] = "0" * 64
    results.write_text(json.dumps(content))
    assert "results.json says 000" in fedtune.error("replay", finished, code=1)


def test_other_data_is_not_the_runs(fedtune, finished, dataset_copy):
    lines = (dataset_copy / "train.tsv").read_text().splitlines(keepends=True)
    (dataset_copy / "train.tsv").write_text("".join([*lines[:-1], "another sentence\t0\n"]))
    line = fedtune.error("replay", finished, "--data-path", dataset_copy, code=1)
    assert "round 1: the contribution of client 2" in line


def test_what_cannot_be_replayed_says_why(fedtune, finished, tmp_path):
    assert "--seed 4: the run has 0" in fedtune.error("replay", finished, "--seed", 4, code=2)
    assert "which RUN" in fedtune.error("replay", code=2)
    assert "no run there" in fedtune.error("replay", tmp_path / "nothing", code=2)
