"""A simulation of a thousand clients: those that wait cost their rows, and the work is spread as any other."""

import json

import pytest
from harness import write_dataset

CLIENTS = 1000


@pytest.fixture(scope="module")
def many_sentences(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "many", 4 * CLIENTS, 20)


@pytest.fixture
def many_arguments(run_arguments, many_sentences):
    return lambda name, **changes: run_arguments(
        name, **({"data_path": many_sentences, "num_clients": CLIENTS, "num_rounds": 1, "partition": "rows"} | changes))


def test_a_thousand_clients_take_the_memory_of_four(fedtune, many_arguments, results_of):
    """The same sentences and steps, the one time among four owners, the other among a thousand."""
    fedtune.run(*many_arguments("few", num_clients=4, batch_size=4, teacher_data_pct=0))
    fedtune.run(*many_arguments("many", batch_size=4))
    few, many = results_of("few")["fedtune"], results_of("many")["fedtune"]
    assert [sum(client["batches"] for client in run["clients"]) for run in (few, many)] == [CLIENTS, CLIENTS]
    # Contributions beyond 8 MiB wait on disk; a copy of the model for each would be 40 MB and more.
    assert many["peak_rss_bytes"] < few["peak_rss_bytes"] + 24 * 1024 * 1024


def test_a_thousand_clients_give_the_same_bits_for_any_number_of_workers(fedtune, many_arguments, results_of):
    for workers in (1, 2):
        fedtune.run(*many_arguments(str(workers), workers=workers))
    one, two = results_of("1")["fedtune"], results_of("2")["fedtune"]
    assert one["final_sha256"] == two["final_sha256"]
    assert one["contributions"] == two["contributions"] and len(one["contributions"][0]["accepted"]) == CLIENTS


def test_each_round_has_a_cohort_of_its_own(fedtune, many_arguments, results_of, tmp_path):
    cohorts = {}
    for workers in (1, 2):
        name = str(workers)
        fedtune.run(*many_arguments(name, workers=workers, fraction_fit=0.02, num_rounds=3))
        lines = (tmp_path / "results" / name / "events.jsonl").read_text().splitlines()
        cohorts[name] = [event["cohort"] for event in map(json.loads, lines) if event["event"] == "round_start"]
    assert cohorts["1"] == cohorts["2"]
    assert [len(set(cohort)) for cohort in cohorts["1"]] == [20, 20, 20]
    assert all(1 <= rank <= CLIENTS for cohort in cohorts["1"] for rank in cohort)
    assert len({tuple(cohort) for cohort in cohorts["1"]}) == 3
    assert results_of("1")["fedtune"]["final_sha256"] == results_of("2")["fedtune"]["final_sha256"]
