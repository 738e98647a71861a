"""kill -9 at every change to a run's folder and at random moments: the same bits, at most one round played again.

The boundaries are struck by a small library that is loaded in front of the C library (killing_disk.c). `make test` kills at
some of them, `make test-soak` at all. A moment that fails is printed and can be tried again with KILL_SEED.
"""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import time

import pytest
from harness import ROOT
from test_network import Ended, Served

SHIM = pathlib.Path(__file__).with_name("killing_disk.c")


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler, "a C compiler is needed"
    library = tmp_path_factory.mktemp("shim") / "killing_disk.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SHIM, "-ldl"], check=True)
    return library


@pytest.fixture
def killing(shim, tmp_path):
    """killing(at): an environment in which the process is killed before its call number `at`; 0: it is counted."""
    (tmp_path / "results").mkdir()  # or the first process alone would make it, and count one call more than the others

    def environment(at: int) -> dict:
        return {**os.environ, "LD_PRELOAD": str(shim), "KILLING_DISK_FOLDER": str(tmp_path / "results"),
                "KILLING_DISK_AT": str(at), "KILLING_DISK_COUNT": str(tmp_path / "calls")}

    return environment


def last_round_begun(folder: pathlib.Path) -> int:
    """Of a run that was killed; 0 where none had begun."""
    log = folder / "events.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    begun = [json.loads(line)["round"] for line in lines if '"round_start"' in line and line.endswith("}")]
    return max(begun, default=0)


def require_one_round_again_at_most(begun: int, printed: str) -> None:
    found = re.search(r"going on after round (\d+)", printed)
    assert (int(found.group(1)) if found else -1) + 1 >= begun, f"round {begun} had begun\n{printed}"


def go_on(fedtune, folder: pathlib.Path, arguments: list) -> None:
    """Resumes a killed run, or starts it where it had not come into being; at most one round is played again."""
    if not (folder / "config.toml").exists():
        fedtune.run(*arguments)
        return
    begun = last_round_begun(folder)
    ended = (folder / "results.json").exists()
    printed = fedtune.run("run", "--resume", folder, "--progress", "plain").stdout
    if ended:
        assert "is finished; nothing is changed" in printed
        return
    require_one_round_again_at_most(begun, printed)


def hash_of(folder: pathlib.Path) -> str:
    assert (folder.parent / f"{folder.name}.json").read_bytes() == (folder / "results.json").read_bytes()
    return json.loads((folder / "results.json").read_text())["fedtune"]["final_sha256"]


class Killed:
    """Kills a run again and again, and compares what it ends with after that."""

    def __init__(self, fedtune, arguments, killing, tmp_path):
        self.fedtune, self.killing, self.tmp_path = fedtune, killing, tmp_path
        self.arguments = arguments
        fedtune.run(*arguments("straight"), env=killing(0))
        self.calls = int((tmp_path / "calls").read_text())
        self.hash = hash_of(tmp_path / "results" / "straight")

    def at(self, call: int) -> None:
        name = f"at-{call}"
        folder = self.tmp_path / "results" / name
        done = subprocess.run([self.fedtune.path, *map(str, self.arguments(name))], env=self.killing(call),
                              capture_output=True, timeout=100)
        assert done.returncode == -signal.SIGKILL, f"call {call}: {done}"
        go_on(self.fedtune, folder, self.arguments(name))
        assert hash_of(folder) == self.hash, f"call {call}"
        left = [path.name for path in folder.rglob(".*")]
        assert not left, f"call {call} left {left}"

    def after(self, seconds: float, name: str, number=signal.SIGKILL) -> None:
        """After a time that is drawn, wherever that finds it."""
        folder = self.tmp_path / "results" / name
        process = self.fedtune.start(*self.arguments(name))
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            process.communicate()
            assert process.returncode in (-number, 128 + number, 0), process.returncode
        if not (folder / "results.json").exists():
            go_on(self.fedtune, folder, self.arguments(name))
        assert hash_of(folder) == self.hash, f"{name}: killed after {seconds:.3f} s"


@pytest.fixture
def killed(fedtune, kd_arguments, killing, tmp_path):
    def arguments(name):
        return kd_arguments(name, num_rounds=2, client_epochs=1)

    return Killed(fedtune, arguments, killing, tmp_path)


def test_a_run_killed_at_some_of_its_writes_goes_on_to_the_same_bits(killed):
    assert killed.calls > 60
    for call in range(1, killed.calls + 1, killed.calls // 5):
        killed.at(call)


@pytest.mark.soak
def test_a_run_killed_at_each_of_its_writes_goes_on_to_the_same_bits(killed):
    for call in range(1, killed.calls + 1):
        killed.at(call)


def kill_at_random(killed, count: int, number=signal.SIGKILL) -> None:
    seed = int(os.environ.get("KILL_SEED", time.time_ns() % 1_000_000))
    print(f"KILL_SEED={seed}")
    chance = random.Random(seed)
    started = time.monotonic()
    killed.fedtune.run(*killed.arguments("timed"))
    whole = time.monotonic() - started
    for turn in range(count):
        killed.after(chance.uniform(0.0, whole), f"moment-{number.name}-{turn}", number)


def test_a_run_killed_at_random_moments_goes_on_to_the_same_bits(killed):
    kill_at_random(killed, 4)


@pytest.mark.long
def test_a_run_killed_at_30_random_moments_goes_on_to_the_same_bits(killed):
    kill_at_random(killed, 30)


@pytest.mark.soak
def test_a_run_killed_at_200_random_moments_goes_on_to_the_same_bits(killed):
    kill_at_random(killed, 200)


@pytest.mark.soak
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_interrupted_at_random_moments_goes_on_to_the_same_bits(killed, number):
    kill_at_random(killed, 30, number)


@pytest.mark.soak
def test_a_run_of_minilm_killed_at_random_moments_goes_on_to_the_same_bits(fedtune, run_arguments, killing, tmp_path):
    model = ROOT / "models" / "minilm"
    if not (model / "model.safetensors").exists():
        pytest.skip("models/minilm is not there; make setup fetches it")

    def arguments(name):
        return run_arguments(name, client_ckpt=model, data_path=ROOT / "examples" / "opinions",
                             max_train_sentences=160, num_rounds=3)

    kill_at_random(Killed(fedtune, arguments, killing, tmp_path), 10)


# ---------------------------------------------------------------------------------------------- server

def resume_server(fedtune, folder: pathlib.Path, port: int) -> None:
    begun = last_round_begun(folder)
    again = Served(fedtune, ["server", "--resume", folder], port=port)
    printed = "".join(again.lines) + again.process.communicate(timeout=100)[0]
    assert again.process.returncode == 0, printed
    require_one_round_again_at_most(begun, printed)


def kill_server_at(fedtune, run_arguments, killing, tmp_path, expected: str, call: int) -> None:
    name = f"served-{call}"
    folder = tmp_path / "results" / name
    try:
        served = Served(fedtune, ["server", *run_arguments(name)[1:]], env=killing(call))
    except Ended:
        # It had not begun to listen; there is nothing yet that clients could lose.
        assert call < LISTENS
        return
    try:
        for rank in (1, 2):
            served.join(rank)
        served.process.communicate(timeout=100)
        assert served.process.returncode == -signal.SIGKILL
        if (folder / "results.json").exists():  # all is done, and the clients have heard it before
            assert "is finished; nothing is changed" in fedtune.run("server", "--resume", folder).stdout
        else:
            resume_server(fedtune, folder, served.port)
        for client in served.clients.values():
            client.communicate(timeout=60)
            assert client.returncode == 0
        assert hash_of(folder) == expected, f"call {call}"
    finally:
        for process in (served.process, *served.clients.values()):
            process.kill()
            process.wait()


def server_calls(fedtune, run_arguments, killing, tmp_path) -> tuple[int, str]:
    served = Served(fedtune, ["server", *run_arguments("counted")[1:]], env=killing(0))
    for rank in (1, 2):
        served.join(rank)
    served.finish()
    return int((tmp_path / "calls").read_text()), hash_of(tmp_path / "results" / "counted")


# The first calls make the folder and its config.toml; from this one on the server listens, whatever else it writes before.
LISTENS = 20


def test_a_server_killed_at_some_of_its_writes_goes_on_with_its_clients(fedtune, run_arguments, killing, tmp_path):
    calls, expected = server_calls(fedtune, run_arguments, killing, tmp_path)
    for call in (calls // 3, 2 * calls // 3, calls - 6, calls):
        kill_server_at(fedtune, run_arguments, killing, tmp_path, expected, call)


@pytest.mark.soak
def test_a_server_killed_at_each_of_its_writes_goes_on_with_its_clients(fedtune, run_arguments, killing, tmp_path):
    calls, expected = server_calls(fedtune, run_arguments, killing, tmp_path)
    for call in range(1, calls + 1):
        kill_server_at(fedtune, run_arguments, killing, tmp_path, expected, call)


# ---------------------------------------------------------------------------------------------- pretrain

class KilledPretraining:
    def __init__(self, fedtune, models, dataset, killing, tmp_path):
        self.fedtune, self.killing = fedtune, killing
        self.common = ["pretrain", "--teacher-ckpt", models["bert"], "--data-path", dataset, "--teacher-data-pct", 50,
                       "--teacher-pretrain-epochs", 3, "--client-lr", "3e-3", "--batch-size", 8, "--save-steps", 4]
        self.results = tmp_path / "results"
        fedtune.run(*self.arguments("straight"), env=killing(0))
        self.calls = int((tmp_path / "calls").read_text())
        self.weights = self.model("straight")

    def arguments(self, place):
        return [*self.common, "--output", self.results / place]

    def model(self, place) -> bytes:
        folder = self.results / place / "model"
        assert [path.name for path in folder.iterdir()] == ["bert_cola_50pct_3epochs"], list(folder.iterdir())
        return (folder / "bert_cola_50pct_3epochs" / "model.safetensors").read_bytes()

    def at(self, call: int) -> None:
        place = f"at-{call}"
        done = subprocess.run([self.fedtune.path, *map(str, self.arguments(place))], env=self.killing(call),
                              capture_output=True, timeout=100)
        assert done.returncode == -signal.SIGKILL, f"call {call}: {done}"
        self.fedtune.run(*self.arguments(place))
        assert self.model(place) == self.weights, f"call {call}"


@pytest.fixture
def killed_pretraining(fedtune, models, dataset, killing, tmp_path):
    return KilledPretraining(fedtune, models, dataset, killing, tmp_path)


def test_a_pretraining_killed_at_some_of_its_writes_gives_the_same_teacher(killed_pretraining):
    assert killed_pretraining.calls > 60
    for call in range(5, killed_pretraining.calls + 1, killed_pretraining.calls // 3):
        killed_pretraining.at(call)


@pytest.mark.soak
def test_a_pretraining_killed_at_each_of_its_writes_gives_the_same_teacher(killed_pretraining):
    for call in range(1, killed_pretraining.calls + 1):
        killed_pretraining.at(call)
