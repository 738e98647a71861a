"""Options, help, configuration files."""

import tomllib

import pytest

COMMANDS = ["run", "server", "client", "drill", "keys", "pretrain", "sweep", "distill", "eval", "predict", "inspect", "plan", "report", "tune"]


@pytest.mark.parametrize("arguments", [["--help"], *([command, "--help"] for command in COMMANDS)])
def test_help_fits_a_screen(fedtune, arguments):
    lines = fedtune.run(*arguments).stdout.splitlines()
    assert len(lines) <= 40 and max(map(len, lines)) <= 80


def test_help_shows_defaults(fedtune):
    text = fedtune.run("run", "--help").stdout
    for expected in ("--client-lr 5e-05", "--num-clients 4", "--lora-r 8", "--batch-size 32"):
        assert expected in text


def test_version_names_torch_and_the_kernels_in_use(fedtune):
    text = fedtune.run("--version").stdout
    for expected in ("fedtune ", "torch ", "kernels"):
        assert expected in text


def test_options_may_be_written_with_underscores(fedtune, run_arguments, results_of):
    arguments = [str(argument).replace("--client-lr", "--client_lr").replace("--num-rounds", "--num_rounds")
                 for argument in run_arguments("a", num_rounds=1)]
    assert "--client_lr" in arguments
    fedtune.run(*arguments, "--max_length=20")
    config = results_of("a")["config"]
    assert (config["client_lr"], config["num_rounds"], config["max_length"]) == (5e-3, 1, 20)


def test_flags_of_other_schemes_and_parties_are_accepted(fedtune, run_arguments):
    fedtune.run(*run_arguments("a", num_rounds=1), "--teacher_ckpt", "bert-base-uncased", "--kd_epochs", 2,
                "--distill_lr", "2e-5", "--teacher_pretrain_epochs", 0, "--rank", 0, "--kd-loss", "reference",
                "--address", "127.0.0.1:9999", "--min-clients", 2, "--insecure")


def test_the_command_line_wins_over_the_configuration_file(fedtune, run_arguments, results_of, tmp_path):
    config = tmp_path / "settings.toml"
    config.write_text('client_lr = 1e-4\nlora-r = 4\ntarget-modules = ["query", "key"]\npartition = "iid"\n')
    fedtune.run(*run_arguments("a", num_rounds=1), "--config", config)
    used = results_of("a")["config"]
    assert (used["client_lr"], used["lora_r"], used["partition"]) == (5e-3, 4, "iid")
    assert used["target_modules"] == ["query", "key"]


def test_a_runs_own_configuration_repeats_it(fedtune, run_arguments, results_of, tmp_path):
    fedtune.run(*run_arguments("a", num_rounds=1, seed=5, lora_alpha=3))
    config = tmp_path / "results" / "a" / "config.toml"
    fedtune.run("run", "--config", config, "--output", tmp_path / "results", "--name", "b")
    assert results_of("a")["fedtune"]["final_sha256"] == results_of("b")["fedtune"]["final_sha256"]
    assert tomllib.loads(config.read_text()) == tomllib.loads((tmp_path / "results" / "b" / "config.toml").read_text())


def test_threads_are_accepted(fedtune, run_arguments):
    fedtune.run(*run_arguments("a", num_rounds=1, threads=2, workers=1))


BAD_USAGE = [
    (["run", "--client-lrr", "1"], "unknown option '--client-lrr'; the nearest is --client-lr"),
    (["run", "--num_cliants=3"], "--num-clients"),
    (["run", "-x"], "unknown option '-x'"),
    (["runn"], "the nearest is run"),
    ([], "see fedtune --help"),
    (["run", "extra"], "unexpected argument 'extra'"),
    (["run", "--num-clients"], "--num-clients needs a value"),
    (["run", "--num-clients", "0"], "--num-clients: expected a whole number, at least 1, got '0'"),
    (["run", "--num-clients", "two"], "expected a whole number"),
    (["run", "--client-lr", "nan"], "--client-lr: expected a number, above 0"),
    (["run", "--client-lr", "-1"], "above 0"),
    (["run", "--lora-dropout", "1"], "below 1"),
    (["run", "--fraction-fit", "1.5"], "at most 1"),
    (["run", "--teacher-data-pct", "100"], "--teacher-data-pct: expected a whole number, from 0 to 99, got '100'"),
    (["run", "--teacher-data-pct", "-1"], "from 0 to 99"),
    (["run", "--partition", "random"], "percent|rows|iid|dirichlet|quantity"),
    (["run", "--seed", "-1"], "--seed"),
    (["run", "--seed", "99999999999999999999"], "--seed"),
    (["run", "--max-length", "2"], "at least 3"),
    (["run", "--teacher-data-pct", "0"], "--scheme fedkdlora needs a public share"),
    (["run", "--scheme", "fedavg", "--dtype", "bf16"], "--dtype bf16"),
    (["run", "--scheme", "fedlora", "--device", "tpu"], "--device tpu: expected cpu, cuda or cuda:N"),
    (["run", "--scheme", "fedlora", "--name", "a/b"], "--name"),
    (["run", "--resume", "nowhere"], "no run there"),
    (["inspect"], "which PATH"),
]


@pytest.mark.parametrize("arguments, message", BAD_USAGE, ids=lambda value: " ".join(value)[:40])
def test_bad_usage_is_exit_2(fedtune, tmp_path, arguments, message):
    assert message in fedtune.error(*arguments, code=2, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


BAD_CONFIGURATION = [
    ('client-lrr = 1\n', "settings.toml:1: unknown key 'client-lrr'; the nearest is --client-lr"),
    ('seed = 1\nlora_r = "eight"\n', "settings.toml:2: lora_r: --lora-r: expected a whole number"),
    ('lora-r = [1, 2]\n', "expected one value, not a list"),
    ('lora-r = \n', "settings.toml:1"),
    ('[training]\nlora-r = 1\n', "unknown key 'training'"),
    ('quiet = 3\n', "expected true or false"),
    ('config = "other.toml"\n', "a configuration cannot name another"),
]


@pytest.mark.parametrize("text, message", BAD_CONFIGURATION, ids=lambda value: value.strip()[:30])
def test_a_bad_configuration_is_exit_2(fedtune, tmp_path, text, message):
    (tmp_path / "settings.toml").write_text(text)
    assert message in fedtune.error("run", "--config", tmp_path / "settings.toml", code=2)


def test_a_missing_configuration_is_exit_2(fedtune, tmp_path):
    assert "nowhere.toml" in fedtune.error("run", "--config", tmp_path / "nowhere.toml", code=2)


def test_cuda_without_a_gpu_is_exit_2(fedtune, run_arguments):
    message = fedtune.error(*run_arguments("a", device="cuda:99"), code=2)
    assert "--device cuda:99" in message


def test_a_name_already_used_is_exit_2_and_names_resume(fedtune, run_arguments):
    fedtune.run(*run_arguments("a", num_rounds=1))
    message = fedtune.error(*run_arguments("a", num_rounds=1), code=2)
    assert "already used" in message and "--resume" in message


def test_a_head_cannot_be_left_untrained_where_there_is_none(fedtune, run_arguments, model_copy):
    import safetensors_file

    folder = model_copy("bert")
    header, tensors = safetensors_file.read(folder / "model.safetensors")
    header = {name: entry for name, entry in header.items() if not name.startswith("classifier.")}
    safetensors_file.write(folder / "model.safetensors", header, tensors)
    message = fedtune.error(*run_arguments("a", client_ckpt=folder, train_head="none"), code=2)
    assert "--train-head none" in message


def test_target_modules_that_match_nothing_are_exit_2(fedtune, run_arguments):
    assert "nowhere" in fedtune.error(*run_arguments("a", target_modules="nowhere"), code=2)


def test_resuming_with_other_options_lists_what_differs(fedtune, run_arguments, tmp_path):
    fedtune.run(*run_arguments("a", num_rounds=1))
    folder = tmp_path / "results" / "a"
    message = fedtune.error("run", "--resume", folder, "--client-lr", "1e-5", "--seed", 3, "--lora-r", 8,
                            "--workers", 1, code=2)
    assert "--client-lr 1e-05 (the run has 0.005)" in message and "--seed 3 (the run has 0)" in message
    assert "--lora-r" not in message and "--workers" not in message
