"""--dtype bf16: where the processor has it at double rate, and a refusal with its reason elsewhere."""

import json
import shutil

import pytest
from test_network import Served


@pytest.fixture(scope="module")
def bf16(fedtune) -> str:
    """The kernels' name, or the reason why there are none."""
    line = next(line for line in fedtune.run("--version").stdout.splitlines() if line.startswith("bf16: "))
    return line.removeprefix("bf16: ")


@pytest.fixture
def supported(bf16) -> str:
    if not bf16.endswith("_bf16"):
        pytest.skip(f"no bf16: {bf16}")
    return bf16


def test_it_is_refused_with_the_reason_where_it_is_not_there(fedtune, run_arguments, bf16):
    if bf16.endswith("_bf16"):
        pytest.skip("it is there")
    assert f"--dtype bf16: {bf16}; use fp32" in fedtune.error(*run_arguments("a", dtype="bf16"), code=2)


@pytest.mark.parametrize("scheme", ["fedlora", "fedkdlora"])
def test_any_number_of_workers_and_threads_gives_the_same_bits(fedtune, kd_arguments, results_of, supported, scheme):
    hashes = set()
    for name, workers, threads in (("one", 1, 1), ("two", 2, 1), ("threads", 1, 2)):
        fedtune.run(*kd_arguments(name, scheme=scheme, num_clients=3, dtype="bf16", workers=workers, threads=threads))
        hashes.add(results_of(name)["fedtune"]["final_sha256"])
    fedtune.run(*kd_arguments("fp32", scheme=scheme, num_clients=3))
    assert len(hashes) == 1 and results_of("fp32")["fedtune"]["final_sha256"] not in hashes


def test_the_results_name_it(fedtune, run_arguments, results_of, supported):
    fedtune.run(*run_arguments("a", dtype="bf16", num_rounds=1))
    results = results_of("a")
    assert results["config"]["dtype"] == "bf16"
    assert results["fedtune"]["kernels"].split(", ")[1:] == [supported]
    assert "--dtype bf16" in results["fedtune"]["command"]


def test_it_trains_as_fp32_does(fedtune, run_arguments, results_of, supported):
    losses = {}
    for dtype in ("fp32", "bf16"):
        fedtune.run(*run_arguments(dtype, dtype=dtype, num_rounds=3))
        losses[dtype] = [round["loss"] for round in results_of(dtype)["fedtune"]["metrics"]]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.02) and losses["bf16"] != losses["fp32"]
    assert losses["bf16"][-1] < losses["bf16"][0]


def test_what_trains_every_weight_refuses_it(fedtune, run_arguments, models, dataset, tmp_path, supported):
    assert "--scheme fedavg trains every weight" in fedtune.error(
        *run_arguments("a", scheme="fedavg", dtype="bf16"), code=2)
    assert "pretrain trains every weight" in fedtune.error(
        "pretrain", "--teacher-ckpt", models["bert"], "--data-path", dataset, "--output", tmp_path, "--dtype", "bf16", code=2)


def test_a_run_goes_on_and_is_replayed_with_it(fedtune, run_arguments, results_of, tmp_path, supported):
    fedtune.run(*run_arguments("a", dtype="bf16"))
    assert "every hash is the run's" in fedtune.run("replay", tmp_path / "results" / "a").stdout
    whole = results_of("a")["fedtune"]["final_sha256"]
    folder = tmp_path / "results" / "a"
    (folder / "results.json").unlink()
    shutil.copytree(folder, tmp_path / "results" / "cut")
    assert "--dtype fp32 (the run has bf16)" in fedtune.error(
        "run", "--resume", tmp_path / "results" / "cut", "--dtype", "fp32", code=2)
    fedtune.run("run", "--resume", tmp_path / "results" / "cut")
    assert results_of("cut")["fedtune"]["final_sha256"] == whole


def test_a_server_says_it_to_its_clients(fedtune, run_arguments, models, dataset, results_of, supported):
    fedtune.run(*run_arguments("simulated", dtype="bf16"))
    served = Served(fedtune, ["server", *run_arguments("served", dtype="bf16")[1:]])
    own = ("--client-ckpt", models["bert"], "--data-path", dataset)
    refused = fedtune.error("client", "--server", f"127.0.0.1:{served.port}", "--rank", 1, *own, "--dtype", "fp32", code=2)
    assert "--dtype fp32 (the server has bf16)" in refused
    for rank in (1, 2):
        served.join(rank, *own)
    served.finish()
    assert results_of("served")["fedtune"]["final_sha256"] == results_of("simulated")["fedtune"]["final_sha256"]


def test_eval_scores_in_it(fedtune, run_arguments, models, dataset, results_of, tmp_path, supported):
    fedtune.run(*run_arguments("a", dtype="bf16"))
    line = ["eval", "--client-ckpt", models["bert"], "--adapter", tmp_path / "results" / "a" / "adapter",
            "--data-path", dataset, "--batch-size", 8, "--json"]
    last = results_of("a")["fedtune"]["metrics"][-1]["loss"]
    assert json.loads(fedtune.run(*line, "--dtype", "bf16").stdout)["loss"] == pytest.approx(last, rel=1e-3)
    assert json.loads(fedtune.run(*line).stdout)["loss"] == pytest.approx(last, rel=0.02)
