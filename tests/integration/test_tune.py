"""fedtune tune, and the sets of kernels that --kernels names."""

import tomllib

import pytest


@pytest.fixture(scope="module")
def tuned(fedtune, tmp_path_factory):
    """The file that tune wrote, and what it printed."""
    file = tmp_path_factory.mktemp("tune") / "kernels.toml"
    return file, fedtune.run("tune", file).stdout


def test_it_measures_every_set_and_writes_a_configuration(tuned):
    file, printed = tuned
    rows = {line.split()[0]: list(map(float, line.split()[1:])) for line in printed.splitlines() if " x " not in line
            and line.split()[0].rstrip(":") not in ("fastest", "bf16")}
    assert "portable" in rows and all(len(speeds) == 6 and min(speeds) > 0 for speeds in rows.values())
    assert tomllib.loads(file.read_text()).keys() == {"kernels"}
    assert tomllib.loads(file.read_text())["kernels"] in rows
    assert file.read_text().startswith("# fedtune ") and "# portable" in file.read_text()


def test_a_run_takes_the_set_and_names_it(fedtune, tuned, run_arguments, results_of):
    fedtune.run(*run_arguments("a", num_rounds=1), "--config", tuned[0])
    results = results_of("a")
    assert results["fedtune"]["kernels"] == results["config"]["kernels"] == tomllib.loads(tuned[0].read_text())["kernels"]


def test_another_set_is_another_run(fedtune, run_arguments, results_of, tmp_path):
    for name, workers in (("a", 1), ("b", 2)):
        fedtune.run(*run_arguments(name, kernels="portable", workers=workers))
    fedtune.run(*run_arguments("usual"))
    hashes = {name: results_of(name)["fedtune"]["final_sha256"] for name in ("a", "b", "usual")}
    assert hashes["a"] == hashes["b"]
    if results_of("usual")["fedtune"]["kernels"] != "portable":
        assert hashes["a"] != hashes["usual"]
    folder = tmp_path / "results" / "a"
    (folder / "results.json").unlink()
    refusal = fedtune.error("run", "--resume", folder, "--kernels", "auto", code=2)
    assert "--kernels auto (the run has portable)" in refusal


def test_a_set_that_is_not_there_is_refused(fedtune, run_arguments):
    features = fedtune.run("--version").stdout
    missing = next((name for name in ("avx512", "avx2") if f"{name}" not in features), None)
    if missing is None:
        pytest.skip("this processor has every set")
    assert f"--kernels {missing}: this processor has portable" in fedtune.error(
        *run_arguments("a", kernels=missing), code=2)
