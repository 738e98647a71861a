"""The shell scripts that start a server and its clients on one machine."""

import os
import signal
import socket
import subprocess

import pytest
from harness import ROOT

SCHEMES = {"run": "fedavg", "run-lora": "fedlora", "run-kd-lora": "fedkdlora"}


@pytest.fixture
def shell(fedtune, tmp_path):
    """shell(commands...) runs them in one bash, from another folder than the project's."""

    def start(*commands, **environment) -> subprocess.Popen:
        return subprocess.Popen(
            ["bash", "-c", "\n".join(commands)], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"FEDTUNE": str(fedtune.path)} | environment, start_new_session=True)

    return start


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def options_of(arguments, **more) -> str:
    """The options alone: neither the command nor the scheme, which the script says."""
    options = [str(argument) for argument in arguments[1:]]
    for name in ("--scheme", "--num-clients"):
        del options[options.index(name):options.index(name) + 2]
    return " ".join([*options, *(f"--{name} {value}" for name, value in more.items())])


def script(name: str, arguments: str) -> str:
    return f"source {ROOT}/multigpu/{name}.sh {arguments}"


@pytest.mark.parametrize("name", SCHEMES)
def test_a_script_gives_the_bits_of_the_simulation(fedtune, kd_arguments, results_of, shell, name):
    fedtune.run(*kd_arguments("simulated", scheme=SCHEMES[name]))
    options = options_of(kd_arguments("served"), address=free_address())
    process = shell("trap 'echo my own trap' EXIT", script(name, f"2 {options}"), 'echo "status $?"')
    output, error = process.communicate(timeout=100)
    assert "status 0\nmy own trap" in output, error
    assert results_of("served")["fedtune"]["final_sha256"] == results_of("simulated")["fedtune"]["final_sha256"]


def test_help_is_printed_once(shell):
    output, _ = shell(script("run-kd-lora", "4 -h"), 'echo "status $?"').communicate(timeout=60)
    assert output.count("usage: fedtune server") == 1 and output.endswith("status 0\n")


def test_what_fails_is_said_and_ends_everyone_and_the_shell_lives_on(run_arguments, shell, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        options = options_of(run_arguments("a"), address=f"127.0.0.1:{taken.getsockname()[1]}")
        output, error = shell(script("run-lora", f"2 {options}"), 'echo "status $?"').communicate(timeout=100)
    assert "is the port taken?" in error and output.endswith("status 4\n"), output + error


def test_a_strict_shell_runs_it_too(run_arguments, shell):
    options = options_of(run_arguments("strict"), address=free_address())
    output, error = shell("set -euo pipefail", script("run-lora", f"2 {options}"), "echo done").communicate(timeout=100)
    assert output.endswith("done\n"), output + error


def test_the_number_of_clients_is_needed(shell):
    output, error = shell(script("run-lora", "--num-rounds 2"), 'echo "status $?"').communicate(timeout=60)
    assert "how many clients?" in error and output.endswith("status 2\n")


def test_an_interrupt_ends_every_process_and_the_state_is_saved(run_arguments, shell, tmp_path):
    options = options_of(run_arguments("a", num_rounds=500, progress="plain"), address=free_address())
    process = shell(script("run-lora", f"2 {options}"), 'echo "status $?"')
    for line in process.stdout:
        if line.startswith("round 2/500"):
            break
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert "fedtune server --resume" in error
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_under_slurm_task_0_is_the_server_and_the_others_are_clients(fedtune, run_arguments, results_of, shell):
    fedtune.run(*run_arguments("simulated"))
    options = options_of(run_arguments("served"), address=free_address())
    tasks = [shell(script("run-lora", options), SLURM_PROCID=str(task), SLURM_NTASKS="3", SLURM_JOB_NUM_NODES="1")
             for task in range(3)]
    for task in tasks:
        assert task.wait(timeout=100) == 0, task.stderr.read()
    assert results_of("served")["fedtune"]["final_sha256"] == results_of("simulated")["fedtune"]["final_sha256"]
