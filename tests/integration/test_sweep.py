"""Many runs from one file: what is run, what is not run again, and the table."""

import csv
import json
import pathlib
import re
import signal
import time
import tomllib

import pytest
from harness import ROOT, write_tsv

SCHEMES_AND_SEEDS = '[sweep]\nscheme = ["fedavg", "fedlora"]\nseed = [1, 2]\n'
RUNS = ["fedavg-seed1", "fedavg-seed2", "fedlora-seed1", "fedlora-seed2"]


@pytest.fixture
def sweep(tmp_path, models, dataset):
    """sweep(text, option=value...): the command line of a sweep whose file holds the options and the text."""

    def arguments(text: str, **changes) -> list:
        common = {"client-ckpt": models["bert"], "data-path": dataset, "num-clients": 2, "num-rounds": 2,
                  "client-lr": 1e-3, "batch-size": 8}
        common.update({option.replace("_", "-"): value for option, value in changes.items()})
        lines = [f"{option} = {json.dumps(value, default=str)}" for option, value in common.items()]
        (tmp_path / "mine.toml").write_text("\n".join(lines) + "\n" + text)
        return ["sweep", tmp_path / "mine.toml", "--output", tmp_path / "results"]

    return arguments


@pytest.fixture
def folder(tmp_path) -> pathlib.Path:
    return tmp_path / "results" / "mine"


def results(folder, name: str) -> dict:
    return json.loads((folder / name / "results.json").read_text())


def table(folder) -> list[dict]:
    with open(folder / "table.csv", newline="") as file:
        return list(csv.DictReader(file))


def hashes(folder) -> dict:
    return {name: results(folder, name)["fedtune"]["final_sha256"] for name in RUNS}


def test_every_combination_is_a_run_like_any_other(fedtune, sweep, folder, run_arguments, results_of):
    fedtune.run(*sweep(SCHEMES_AND_SEEDS))
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == RUNS
    fedtune.run(*run_arguments("alone", scheme="fedlora", seed=2, client_lr="1e-3"))
    assert hashes(folder)["fedlora-seed2"] == results_of("alone")["fedtune"]["final_sha256"]


def test_the_table_holds_the_means_of_the_last_rounds(fedtune, sweep, folder):
    done = fedtune.run(*sweep(SCHEMES_AND_SEEDS))
    rows = table(folder)
    assert [(row["scheme"], row["runs"]) for row in rows] == [("fedavg", "2"), ("fedlora", "2")]
    for row in rows:
        ours = [results(folder, f"{row['scheme']}-seed{seed}")["fedtune"] for seed in (1, 2)]
        for key in ("accuracy", "mcc", "loss"):
            first, second = (each["metrics"][-1][key] for each in ours)
            assert float(row[key]) == pytest.approx((first + second) / 2)
            # Two values: t(0.975; 1 degree of freedom) times |a - b| / 2.
            assert float(row[f"{key}_95"]) == pytest.approx(12.7062047 * abs(first - second) / 2)
        assert float(row["majority"]) == pytest.approx(ours[0]["majority_accuracy"])
        sent = ours[0]["bytes"][0]["up"] + ours[0]["bytes"][0]["down"]
        assert float(row["bytes_per_client_and_round"]) == sent / 2
        assert float(row["seconds"]) > 0 and float(row["sentences_per_second"]) > 0
    markdown = (folder / "table.md").read_text()
    assert markdown in done.stdout and str(folder / "table.md") in done.stdout
    assert f"{float(rows[0]['accuracy']):.4f} ± {float(rows[0]['accuracy_95']):.4f}" in markdown


def test_schemes_are_compared_over_equal_seeds(fedtune, sweep, folder):
    fedtune.run(*sweep(SCHEMES_AND_SEEDS + "lora-r = [2, 4]\n"))
    lines = (folder / "table.md").read_text().splitlines()
    compared = [line for line in lines if line.startswith("| fedlora - fedavg | accuracy")]
    assert ["lora-r 2" in compared[0], "lora-r 4" in compared[1]] == [True, True]
    accuracy = {name: results(folder, name)["fedtune"]["metrics"][-1]["accuracy"]
                for name in ("fedavg-r2-seed1", "fedavg-r2-seed2", "fedlora-r2-seed1", "fedlora-r2-seed2")}
    mean = sum((-1 if name.startswith("fedavg") else 1) * value / 2 for name, value in accuracy.items())
    assert float(re.split(r" *\| *", compared[0])[4]) == pytest.approx(mean, abs=1e-4)


def test_cases_carry_options_that_belong_together(fedtune, sweep, folder):
    fedtune.run(*sweep("[sweep]\nseed = [1, 2]\n"
                       '[[case]]\nscheme = "fedavg"\nclient-lr = 1e-3\n'
                       '[[case]]\nname = "lora"\nscheme = "fedlora"\nclient-lr = 5e-3\n'))
    assert results(folder, "fedavg-lr1e-3-seed1")["config"]["client_lr"] == 1e-3
    assert results(folder, "lora-seed2")["config"]["client_lr"] == 5e-3
    assert [(row["case"], row["scheme"], row["client-lr"]) for row in table(folder)] == [
        ("", "fedavg", "0.001"), ("lora", "fedlora", "0.005")]
    assert "| lora - fedavg" in (folder / "table.md").read_text()


def test_cases_of_one_scheme_are_each_compared_with_the_other_scheme(fedtune, sweep, folder):
    fedtune.run(*sweep('[sweep]\nseed = [1, 2]\n'
                       '[[case]]\nscheme = "fedavg"\n'
                       '[[case]]\nscheme = "fedlora"\nclient-lr = 1e-3\n'
                       '[[case]]\nscheme = "fedlora"\nclient-lr = 5e-3\n'))
    compared = [re.split(r" *\| *", line)[1:4] for line in (folder / "table.md").read_text().splitlines()
                if " - " in line and "| accuracy" in line]
    slow, fast = "scheme fedlora, client-lr 0.001", "scheme fedlora, client-lr 0.005"
    assert compared == [[f"{slow} - fedavg", "accuracy", "2"], [f"{fast} - fedavg", "accuracy", "2"]]


def test_a_finished_sweep_runs_nothing_again(fedtune, sweep, folder):
    fedtune.run(*sweep(SCHEMES_AND_SEEDS))
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.name == "results.json"}
    first = (folder / "table.md").read_text()
    done = fedtune.run(*sweep(SCHEMES_AND_SEEDS))
    assert done.stdout.count("is finished") == 4 and "round 1/2" not in done.stdout
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.name == "results.json"}
    assert (folder / "table.md").read_text() == first


LONG = {"num_rounds": 12, "client_epochs": 4}


def stop_in_the_second_run(fedtune, arguments, number):
    """The process, and what it wrote to stderr."""
    process = fedtune.start(*arguments)
    for line in process.stdout:
        if line.startswith("run 2/4"):
            break
    for line in process.stdout:
        if line.startswith("round 3/"):
            break
    process.send_signal(number)
    process.stdout.read()
    stderr = process.stderr.read()
    process.wait(timeout=60)
    return process, stderr


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_stopped_sweep_goes_on_to_the_same_bits(fedtune, sweep, folder, tmp_path, number, code):
    arguments = sweep(SCHEMES_AND_SEEDS, **LONG)
    process, stderr = stop_in_the_second_run(fedtune, arguments, number)
    assert process.returncode == code
    if number != signal.SIGKILL:
        assert f"go on with: fedtune sweep {arguments[1]} --output={tmp_path / 'results'}" in stderr
    assert (folder / "fedavg-seed1" / "results.json").exists()
    assert not (folder / "fedavg-seed2" / "results.json").exists() and not (folder / "fedlora-seed1").exists()

    done = fedtune.run(*arguments)
    assert "going on after round" in done.stdout and done.stdout.count("is finished") == 1
    fedtune.run(*arguments, "--name", "straight")
    assert hashes(folder) == hashes(folder.parent / "straight")


def test_a_killed_sweep_takes_its_run_with_it(fedtune, sweep, folder):
    process = fedtune.start(*sweep(SCHEMES_AND_SEEDS, num_rounds=1000))
    events = folder / "fedavg-seed1" / "events.jsonl"
    while not events.exists():
        time.sleep(0.02)
    process.kill()
    process.wait()
    time.sleep(0.2)
    size = events.stat().st_size
    time.sleep(0.5)
    assert events.stat().st_size == size
    process.communicate()


def test_a_failing_run_is_reported_and_the_others_follow(fedtune, sweep, folder):
    message = fedtune.run(*sweep('[sweep]\nscheme = ["fedavg"]\nclient-lr = [1e30, 1e-3]\n'), code=1).stderr
    assert "fedavg-lr1e+30" not in message and "fedavg-lr1e30 failed: " in message
    assert message.splitlines()[-1].startswith("fedtune: error: 1 of the sweep's runs failed: fedavg-lr1e30")
    assert (folder / "fedavg-lr1e-3" / "results.json").exists()
    assert [row["client-lr"] for row in table(folder)] == ["0.001"]
    assert "- fedavg-lr1e30: " in (folder / "table.md").read_text()


TUNE = '[tune]\nclient-lr = [1e-7, 3e-3]\nmetric = "mcc"\ntune-slice = 25\nclient-epochs = 3\n'


def test_tuning_picks_the_better_rate_for_each_scheme(fedtune, sweep, folder):
    fedtune.run(*sweep(SCHEMES_AND_SEEDS + TUNE, num_rounds=3))
    for scheme in ("fedavg", "fedlora"):
        tried = {rate: results(folder, f"tune-{scheme}-lr{rate}") for rate in ("1e-7", "3e-3")}
        assert all(each["config"]["tune_slice"] == 25 and each["config"]["seed"] == 1 for each in tried.values())
        mcc = {rate: each["fedtune"]["metrics"][-1]["mcc"] for rate, each in tried.items()}
        assert mcc["3e-3"] > mcc["1e-7"]
        config = results(folder, f"{scheme}-lr3e-3-seed2")["config"]
        assert (config["client_lr"], config["tune_slice"], config["client_epochs"]) == (3e-3, 0, 1)
    assert [row["client-lr"] for row in table(folder)] == ["0.003", "0.003"]
    markdown = (folder / "table.md").read_text()
    assert len(re.findall(r"client-lr 0.003 \|.*\| chosen", markdown)) == 2
    done = fedtune.run(*sweep(SCHEMES_AND_SEEDS + TUNE, num_rounds=3))
    assert done.stdout.count("is finished") == 8


def test_tuning_never_opens_the_validation_file(fedtune, sweep, folder, dataset_copy):
    (dataset_copy / "validation.tsv").write_bytes(b"not a table \xff")
    text = '[sweep]\nscheme = ["fedlora"]\n' + TUNE
    assert "validation.tsv" in fedtune.run(*sweep(text, data_path=dataset_copy), code=1).stderr
    assert results(folder, "tune-fedlora-lr3e-3") and not (folder / "fedlora-lr3e-3" / "results.json").exists()

    write_tsv(dataset_copy / "validation.tsv", [("the film is good", 1), ("the film is bad", 0)])
    fedtune.run(*sweep(text, data_path=dataset_copy))
    assert results(folder, "fedlora-lr3e-3")


def test_a_choice_between_failures_fails_its_runs(fedtune, sweep):
    text = '[sweep]\nscheme = ["fedavg"]\n[tune]\nclient-lr = [1e30, 1e31]\n'
    message = fedtune.run(*sweep(text), code=1).stderr
    assert "3 of the sweep's runs failed: tune-fedavg-lr1e30, tune-fedavg-lr1e31, fedavg" in message


def test_a_sweep_changed_since_is_exit_2_and_runs_nothing(fedtune, sweep, folder):
    fedtune.run(*sweep('[sweep]\nscheme = ["fedavg"]\nseed = [1]\n'))
    message = fedtune.error(*sweep(SCHEMES_AND_SEEDS, client_lr=0.5), code=2)
    assert "the sweep was changed since" in message and "--client-lr 0.5 (the run has 0.001)" in message
    assert not (folder / "fedlora-seed1").exists()


def test_the_command_line_wins_over_common_options_but_not_over_what_varies(fedtune, sweep, folder):
    fedtune.run(*sweep('[sweep]\nscheme = ["fedavg"]\n'), "--num-rounds", 1, "--workers", 1)
    assert results(folder, "fedavg")["config"]["num_rounds"] == 1
    message = fedtune.error(*sweep(SCHEMES_AND_SEEDS), "--seed", 4, code=2)
    assert "--seed: " in message and "varies it" in message


def test_the_table_is_also_written_where_it_is_wanted(fedtune, sweep, folder, tmp_path):
    for name in ("mine.md", "mine.csv"):
        fedtune.run(*sweep('[sweep]\nscheme = ["fedavg"]\n'), "--table", tmp_path / name)
        assert (tmp_path / name).read_bytes() == (folder / name.replace("mine", "table")).read_bytes()
    assert ".md or .csv" in fedtune.error(*sweep(""), "--table", tmp_path / "mine.txt", code=2)


def test_quiet_prints_nothing(fedtune, sweep):
    done = fedtune.run(*sweep('[sweep]\nscheme = ["fedavg"]\n'), "--quiet")
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("arguments, message", [
    ([], "which FILE.toml"),
    (["nowhere.toml"], "nowhere.toml"),
    (["a.toml", "--config", "a.toml"], "--config: not with sweep"),
    (["a.toml", "--resume", "b"], "--resume: not with sweep"),
])
def test_bad_usage_is_exit_2(fedtune, tmp_path, arguments, message):
    (tmp_path / "a.toml").write_text("seed = 1\n")
    assert message in fedtune.error("sweep", *arguments, code=2, cwd=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.toml"]


def test_an_unknown_key_is_exit_2_and_names_the_nearest(fedtune, sweep, tmp_path):
    message = fedtune.error(*sweep("[sweep]\nclient-lrr = [1]\n"), code=2)
    assert "unknown key 'client-lrr'; the nearest is --client-lr" in message
    assert not (tmp_path / "results").exists()


def test_the_example_is_a_sweep_that_runs(fedtune, tmp_path, models):
    example = ROOT / "examples" / "sweeps" / "opinions.toml"
    done = fedtune.run("sweep", example, "--output", tmp_path / "results", "--client-ckpt", models["bert"],
                       "--max-train-sentences", 100, "--num-rounds", 1, cwd=ROOT)
    assert len(table(tmp_path / "results" / "opinions")) == len(tomllib.loads(example.read_text())["sweep"]["scheme"])
    assert "Schemes compared over equal seeds" in done.stdout
