"""fedtune report, the page in a run's folder, and its scalars for TensorBoard."""

import csv
import json
import os
import re
import shutil
import struct
import subprocess

import pytest

OUTSIDE = re.compile(r"<script|https?://|src=|@import|url\(")


@pytest.fixture
def finished(fedtune, run_arguments, tmp_path):
    """finished(name, option=value...) is the folder of a run that has ended."""

    def make(name: str, **changes):
        fedtune.run(*run_arguments(name, workers=1, **changes))
        return tmp_path / "results" / name

    return make


def events_of(folder):
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def test_a_run_leaves_its_report_in_its_folder(finished):
    folder = finished("a")
    page = (folder / "report.html").read_text()
    assert not OUTSIDE.search(page) and len(page) < 1_000_000
    results = json.loads((folder / "results.json").read_text())["fedtune"]
    assert results["final_sha256"] in page
    assert page.count("<svg") == page.count("<figure>") >= 7
    assert "this run has not finished" not in page


def test_the_command_in_a_report_gives_the_same_bits(finished, fedtune, tmp_path, results_of):
    finished("a", seed=3, lora_r=4)
    command = results_of("a")["fedtune"]["command"].split()
    assert command[:2] == ["fedtune", "run"]
    fedtune.run(*command[1:], "--output", tmp_path / "results", "--name", "b")
    assert results_of("a")["fedtune"]["final_sha256"] == results_of("b")["fedtune"]["final_sha256"]


def test_what_is_passed_on_names_no_folder_above_where_the_run_was_started(finished, tmp_path, fedtune, run_arguments, models,
                                                                           results_of, dataset_copy):
    home = tmp_path / "home"
    project = home / "a project"
    project.mkdir(parents=True)
    dataset_copy.rename(project / "data set")
    shutil.copytree(models["bert"], home / "the model")
    places = {"client_ckpt": "../the model", "data_path": "data set"}
    surroundings = {"cwd": project, "env": os.environ | {"HOME": str(home)}}
    fedtune.run(*run_arguments("a", **places), **surroundings)
    folder = tmp_path / "results" / "a"
    for name in ("results.json", "events.jsonl", "report.html", "../a.json"):
        assert str(home) not in (folder / name).read_text(), name
    config = results_of("a")["config"]
    assert (config["client_ckpt"], config["data_path"]) == ("~/the model", "./data set")
    assert str(home) in (folder / "config.toml").read_text()

    command = results_of("a")["fedtune"]["command"].replace("fedtune", str(fedtune.path), 1)
    assert "~/'the model'" in command
    done = subprocess.run(["bash", "-c", f"{command} --output {tmp_path}/results --name b"], capture_output=True, text=True,
                          timeout=120, **surroundings)
    assert done.returncode == 0, done.stderr
    assert results_of("a")["fedtune"]["final_sha256"] == results_of("b")["fedtune"]["final_sha256"]


def test_an_adapter_names_its_base_from_where_the_run_was_started(models, fedtune, run_arguments, tmp_path):
    shutil.copytree(models["bert"], tmp_path / "models" / "base")
    fedtune.run(*run_arguments("a", client_ckpt="models/base"), cwd=tmp_path)
    config = json.loads((tmp_path / "results" / "a" / "adapter" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "models/base"


def test_events_say_what_each_contribution_changed(finished):
    rounds = [event for event in events_of(finished("a")) if event["event"] == "round"]
    for event in rounds:
        assert [entry["rank"] for entry in event["contributions"]] == [1, 2]
        assert sum(entry["share"] for entry in event["contributions"]) == pytest.approx(1)
        assert all(entry["norm"] > 0 and -1 <= entry["cosine"] <= 1 for entry in event["contributions"])
        assert event["averaging_error"]


def test_several_runs_are_compared_on_one_page_with_a_csv_beside_it(finished, fedtune, tmp_path):
    folders = [finished(f"{scheme}-{seed}", scheme=scheme, seed=seed)
               for scheme in ("fedlora", "fedavg") for seed in (1, 2)]
    done = fedtune.run("report", *folders, "--output", tmp_path / "page.html")
    assert "4 runs" in done.stdout
    page = (tmp_path / "page.html").read_text()
    assert not OUTSIDE.search(page) and "4 runs compared" in page and "fedlora, fedavg" in page
    with (tmp_path / "page.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 3
    last = next(row for row in rows if row["run"] == "fedavg-2" and row["round"] == "2")
    ours = json.loads((folders[3] / "results.json").read_text())["fedtune"]
    assert float(last["accuracy"]) == ours["metrics"][2]["accuracy"]
    assert int(last["bytes_up"]) == ours["bytes"][1]["up"]


def test_a_folder_of_runs_stands_for_them_without_those_that_tune(finished, fedtune, tmp_path):
    for name in ("a", "b", "tune-c"):
        finished(name, seed=len(name), num_rounds=1)
    assert "2 runs" in fedtune.run("report", tmp_path / "results", cwd=tmp_path).stdout
    assert (tmp_path / "report.html").exists() and (tmp_path / "report.csv").exists()


def test_all_that_runs_left_in_a_folder_stands_for_each_run_once(finished, fedtune, tmp_path):
    finished("a"), finished("b", seed=2)
    found = sorted((tmp_path / "results").iterdir())  # as results/* says it
    assert [path.name for path in found] == ["a", "a.json", "b", "b.json"]
    printed = fedtune.run("report", *found, f"{found[0]}/", "--output", tmp_path / "page.html").stdout
    assert printed.endswith(": 2 runs\n")


def test_an_unfinished_run_is_shown_as_far_as_it_went(finished, fedtune, tmp_path):
    folder = finished("a", num_rounds=3)
    (folder / "results.json").unlink()
    lines = (folder / "events.jsonl").read_text().splitlines(keepends=True)
    cut = next(i for i, line in enumerate(lines) if '"event":"round","' in line and '"round":2' in line)
    (folder / "events.jsonl").write_text("".join(lines[:cut]) + '{"event":"rou')
    done = fedtune.run("report", folder, "--output", tmp_path / "page.html")
    assert "1 of 3 rounds" in done.stdout
    assert "1 of 3 rounds" in (tmp_path / "page.html").read_text()


def test_a_damaged_event_log_is_said_on_the_page(finished, fedtune, tmp_path):
    folder = finished("a")
    with (folder / "events.jsonl").open("ab") as file:
        file.write(b"\xff\x00 nonsense\n")
    assert "damaged at line" in fedtune.run("report", folder, "--output", tmp_path / "page.html").stdout


BAD_RUNS = [
    ("nothing", lambda folder: None, "there is no such folder"),
    ("empty", lambda folder: folder.mkdir(), "neither a run's folder nor one that holds runs"),
    ("begun", lambda folder: (folder.mkdir(), (folder / "config.toml").write_text("")), "no round has been recorded"),
    ("broken", lambda folder: (folder.mkdir(), (folder / "results.json").write_text("{")), "results.json"),
]


@pytest.mark.parametrize("name, make, message", BAD_RUNS, ids=[entry[0] for entry in BAD_RUNS])
def test_what_is_no_run_is_exit_3(fedtune, tmp_path, name, make, message):
    folder = tmp_path / name
    make(folder)
    assert message in fedtune.error("report", folder, "--output", tmp_path / "page.html", code=3)
    assert not (tmp_path / "page.html").exists()


def test_a_report_of_nothing_or_into_a_folder_is_exit_2(fedtune, tmp_path):
    assert "which RUN" in fedtune.error("report", code=2)
    assert "a folder" in fedtune.error("report", tmp_path, "--output", tmp_path, code=2)


def records(path):
    """The payloads of a TFRecord file, by their lengths alone."""
    data, payloads = path.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        payloads.append(data[12:12 + length])
        data = data[16 + length:]
    return payloads


def test_tensorboard_gets_a_record_for_each_scored_round(finished):
    (file,) = (finished("a", num_rounds=3) / "tensorboard").iterdir()
    assert file.name.startswith("events.out.tfevents.")
    payloads = records(file)
    assert len(payloads) == 1 + 4 and b"brain.Event:2" in payloads[0]
    assert all(b"validation/accuracy" in payload for payload in payloads[1:])
    assert b"clients/norm_max" in payloads[-1] and b"averaging_error/layer_mean" in payloads[-1]


def test_a_run_that_goes_on_has_each_round_once_in_tensorboard(finished, fedtune):
    folder = finished("a", num_rounds=3)
    (folder / "results.json").unlink()
    folder.with_suffix(".json").unlink()
    newest = max((folder / "checkpoint").glob("round-*.json"))
    newest.unlink()
    (before,) = (folder / "tensorboard").iterdir()
    expected = [payload[12:] for payload in records(before)][:4]
    fedtune.run("run", "--resume", folder, "--workers", 1)
    (after,) = (folder / "tensorboard").iterdir()
    assert after.name == before.name
    payloads = records(after)
    assert len(payloads) == 5 and [payload[12:] for payload in payloads[:4]] == expected
