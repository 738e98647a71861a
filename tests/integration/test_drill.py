"""Faults by a script against a server and clients that are processes of their own."""

import json
import re

import pytest
from harness import ROOT


@pytest.fixture
def drill(fedtune, run_arguments, tmp_path):
    """drill(script, option=value...): runs it; its output."""

    def run(script: str, code=0, **changes):
        faults = tmp_path / "faults.toml"
        faults.write_text(script)
        options = {"num_clients": 3, "num_rounds": 4, "min_clients": 1, "round_timeout": 4, "client_epochs": 2,
                   "wait": 100} | changes
        arguments = ["drill", *run_arguments("drilled", **options)[1:], "--faults", faults]
        return fedtune.run(*arguments, code=code, timeout=options["wait"] + 20)

    return run


def rows(printed: str) -> dict[int, list[str]]:
    """The table: round to its cells."""
    found = re.findall(r"^ +(\d+) +(\d+) +(\d+) +(\d+)  (.*)$", printed, re.M)
    return {int(cells[0]): list(cells[1:]) for cells in found}


def test_kills_hangs_lies_and_a_full_disk_leave_a_run_that_replays(drill, tmp_path):
    printed = drill("""
        seed = 3
        [[fault]]
        kind = "kill"
        clients = [2]
        rounds = [1]
        [[fault]]
        kind = "nan"
        clients = [3]
        rounds = [2]
        [[fault]]
        kind = "corrupt"
        clients = [1]
        rounds = [2]
        [[fault]]
        kind = "full-disk"
        server = true
        rounds = [3]
        [[fault]]
        kind = "kill"
        server = true
        rounds = [4]
        """).stdout
    assert "the drill ended as expected" in printed
    table = rows(printed)
    assert list(table) == [1, 2, 3, 4]
    assert table[1][3] == "kill 2" and table[2][3] == "nan 3; corrupt 1"
    assert table[3][3] == "full-disk server" and table[4][3] == "kill server"
    assert table[2][:3] == ["3", "1", "2"] or table[2][0] == "3"
    assert "holds nan" in printed and "the norm of its values" in printed
    assert "ended with 0 after 2 restarts" in printed
    assert (tmp_path / "results" / "drilled.drill" / "server-3.log").exists()


def test_lines_that_are_cut_doubles_and_delays_change_no_bit(drill, fedtune, run_arguments, results_of):
    printed = drill("""
        [[fault]]
        kind = "partition"
        clients = [1, 3]
        rounds = [1]
        seconds = 0.5
        [[fault]]
        kind = "duplicate"
        clients = [2]
        rounds = [2]
        [[fault]]
        kind = "delay"
        fraction = 0.67
        rounds = [3]
        seconds = 0.5
        [[fault]]
        kind = "hang"
        clients = [3]
        rounds = [4]
        seconds = 0.5
        [expect]
        min-accepted = 3
        """, round_timeout=60, min_clients=0).stdout
    assert rows(printed)[3][3].startswith("delay ")
    fedtune.run(*run_arguments("straight", num_clients=3, num_rounds=4, client_epochs=2))
    assert results_of("drilled")["fedtune"]["final_sha256"] == results_of("straight")["fedtune"]["final_sha256"]


def test_what_was_not_expected_is_exit_1_and_says_what(drill):
    done = drill("""
        [[fault]]
        kind = "nan"
        fraction = 0.34
        rounds = [2]
        [expect]
        min-accepted = 3
        """, code=1)
    assert "round 2 accepted 2, expected 3 or more" in done.stderr


@pytest.mark.parametrize("script, message", [
    ("seed = 1\n", "a drill without a [[fault]]"),
    ('[[fault]]\nkind = "flood"\nserver = true\n', "faults.toml:2: kind: expected kill, hang"),
    ('[[fault]]\nkind = "kill"\n', "a fault strikes one of"),
    ('[[fault]]\nkind = "nan"\nserver = true\n', "nan strikes clients alone"),
    ('[[fault]]\nkind = "full-disk"\nclients = [1]\n', "full-disk strikes the server alone"),
    ('[[fault]]\nkind = "kill"\nserver = true\nround = 3\n', "round is not known here"),
    ('[[fault]]\nkind = "kill"\nserver = true\nrounds = 3\n', "expected a list"),
])
def test_a_script_that_cannot_be_understood_is_exit_2_with_its_line(fedtune, tmp_path, script, message):
    (tmp_path / "faults.toml").write_text(script)
    assert message in fedtune.error("drill", "--faults", tmp_path / "faults.toml", "--output", tmp_path, code=2)


@pytest.mark.soak
def test_30_per_cent_of_20_clients_killed_every_round_still_finish_with_the_score_of_a_seed(drill, fedtune, run_arguments, tmp_path):
    model = ROOT / "models" / "minilm"
    if not (model / "model.safetensors").exists():
        pytest.skip("models/minilm is not there; make setup fetches it")
    options = {"client_ckpt": model, "data_path": ROOT / "examples" / "opinions", "num_clients": 20, "num_rounds": 8,
               "teacher_data_pct": 10, "client_epochs": 1}
    printed = drill("""
        seed = 7
        [[fault]]
        kind = "kill"
        fraction = 0.3
        [expect]
        min-accepted = 10
        """, round_timeout=60, min_clients=10, wait=900, **options).stdout
    table = rows(printed)
    assert list(table) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert all(len(cells[3].split()) == 7 for cells in table.values())

    def final_of(name: str) -> dict:
        metrics = json.loads((tmp_path / "results" / name / "results.json").read_text())["fedtune"]["metrics"]
        assert len(metrics) == 9
        return metrics[-1]

    for seed in range(1, 6):
        fedtune.run(*run_arguments(f"undisturbed-{seed}", seed=seed, **options), timeout=600)
    undisturbed, drilled = [final_of(f"undisturbed-{seed}") for seed in range(1, 6)], final_of("drilled")
    for measure in ("accuracy", "loss"):
        values = [score[measure] for score in undisturbed]
        print(f"{measure}: {drilled[measure]:.4f}; undisturbed, five seeds: {min(values):.4f} to {max(values):.4f}")
        assert min(values) <= drilled[measure] <= max(values)
