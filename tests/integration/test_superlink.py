"""Native nodes of a real Flower deployment: flower-superlink, flwr run, Flower's own strategies and ours."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest
from harness import ROOT
from test_flower import PEER, SCRIPTS, free_port

FLOWER = PEER.parent
GRPC_FLOWER = ROOT / ".venv-flower-grpc" / "bin" / "flwr"
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not PEER.exists(), reason="no .venv-peer with Flower in it: run `tools/setup.sh peer`"),
]


class Deployment:
    """A SuperLink and its nodes."""

    def __init__(self, folder, fedtune, flower=FLOWER):
        self.folder, self.fedtune = folder, fedtune
        self.address = f"127.0.0.1:{free_port()}"
        self.fleet_address = self.address  # where nodes call, which is elsewhere where Fleet is gRPC
        self.environment = os.environ | {
            "FLWR_TELEMETRY_ENABLED": "0", "FLWR_DISABLE_UPDATE_CHECK": "1", "FLWR_HOME": str(folder / "flwr"),
            "PATH": f"{flower}:{os.environ['PATH']}"}
        self.processes = []

    def start(self, *options, connection='insecure = true'):
        (self.folder / "flwr").mkdir()
        (self.folder / "flwr" / "config.toml").write_text(
            f'[superlink]\ndefault = "here"\n[superlink.here]\naddress = "{self.address}"\n{connection}\n')
        self.options = options
        self.start_superlink()

    def start_superlink(self):
        host, port = self.address.split(":")
        security = [] if "--ssl-certfile" in self.options else ["--insecure"]
        self.superlink = self.spawn("flower-superlink", *security, *self.options, "--host", host, "--port", port,
                                    "--disable-runtime-dependency-installation")
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex((host, int(port))) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError(f"no SuperLink: {self.logs()}")

    def kill_superlink(self):
        os.killpg(self.superlink.pid, signal.SIGKILL)
        self.superlink.wait()
        self.processes.remove(self.superlink)

    def start_over_grpc(self, *options, **connection):
        """Fleet over gRPC, on an address of its own."""
        self.fleet_address = f"127.0.0.1:{free_port()}"
        self.environment["FLWR_INTERNAL_GRPC_FLEET_API"] = "1"  # 1.40 and newer ask for it; 1.39 knows nothing else
        self.start("--fleet-api-address", self.fleet_address, *options, **connection)

    def spawn(self, *command):
        self.spawned = getattr(self, "spawned", 0) + 1
        log = (self.folder / f"{self.spawned}.log").open("w")
        self.processes.append(subprocess.Popen(list(map(str, command)), stdout=log, stderr=subprocess.STDOUT,
                                               env=self.environment, start_new_session=True))
        return self.processes[-1]

    def node(self, rank, *options):
        return self.spawn(self.fedtune.path, "client", "--superlink", self.fleet_address, "--rank", rank, *options)

    def end(self, process):
        """As an operator ends a node: it takes its leave."""
        process.terminate()
        process.wait(timeout=15)
        self.processes.remove(process)

    def flwr(self, *command) -> str:
        done = subprocess.run(["flwr", *map(str, command)], env=self.environment, capture_output=True, text=True,
                              timeout=90)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, **config) -> None:
        """One run of the app to its end; `flwr run` exits with 0 even where the app has failed."""
        settings = " ".join(f"{key.replace('_', '-')}={json.dumps(value)}" for key, value in config.items())
        log = self.flwr("run", ROOT / "integrations" / "flower", "here", "--stream", "-c", settings)
        listed = json.loads(self.flwr("ls", "here", "--format", "json"))["runs"]
        assert listed[0]["status"] == "finished:completed", log + self.logs()

    def logs(self) -> str:
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def stop(self):
        for process in reversed(self.processes):
            os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def deployment(tmp_path, fedtune):
    made = Deployment(tmp_path, fedtune)
    yield made
    made.stop()


def options_of(arguments) -> list:
    """A run's options for one of its parties."""
    options = arguments("unused")[1:]
    for name in ("--name", "--num-rounds", "--output"):
        del options[options.index(name):options.index(name) + 2]
    return options


def difference(deployment, tmp_path) -> float:
    text = subprocess.run([PEER, SCRIPTS / "compare_arrays.py", tmp_path / "last.npz",
                           tmp_path / "results" / "simulated" / "adapter" / "adapter_model.safetensors"],
                          capture_output=True, text=True).stdout
    return float(re.search(r"difference (\S+)", text)[1])


def test_the_app_gives_the_bits_of_the_simulation_and_flowers_own_strategy_its_numbers(
    fedtune, run_arguments, deployment, tmp_path):
    fedtune.run(*run_arguments("simulated"))
    deployment.start()
    for rank in (1, 2):
        deployment.node(rank, *options_of(run_arguments))
    common = {"num_server_rounds": 2, "timeout": 40.0, "output": str(tmp_path / "last.npz")}
    deployment.run(strategy="ranked", **common)
    assert difference(deployment, tmp_path) == 0.0
    deployment.run(strategy="fedavg", **common)  # the same nodes serve the next run
    assert difference(deployment, tmp_path) < 1e-4


def test_distilling_between_the_rounds_gives_the_bits_of_fedkdlora(
    fedtune, kd_arguments, deployment, tmp_path):
    fedtune.run(*kd_arguments("simulated"))
    deployment.start()
    options = options_of(kd_arguments)
    for rank in (1, 2):
        deployment.node(rank, *options)
    command = " ".join(map(str, [fedtune.path, "distill", *options]))
    deployment.run(num_server_rounds=2, timeout=40.0, strategy="distilling", distill=command,
                   folder=str(tmp_path / "distil"), output=str(tmp_path / "last.npz"))
    assert difference(deployment, tmp_path) == 0.0


def test_a_node_in_python_trains_beside_a_native_one(run_arguments, models, dataset, deployment, tmp_path):
    deployment.start()
    deployment.node(1, *options_of(run_arguments))
    deployment.spawn("flower-supernode", "--insecure", "--superlink", deployment.address, "--host", "127.0.0.1",
                     "--port", free_port(), "--node-config",
                     f'model="{models["bert"]}" data="{dataset}" rank=2 learning-rate=5e-3')
    deployment.run(num_server_rounds=2, timeout=60.0, strategy="ranked", output=str(tmp_path / "last.npz"))
    log = deployment.logs()
    assert "round 2  " in log, log  # the native node's
    assert log.count("Sending: train message") == log.count("Sending: evaluate message") == 2, log


def test_nodes_outlive_their_superlink(fedtune, run_arguments, deployment, tmp_path):
    fedtune.run(*run_arguments("simulated"))
    deployment.start()
    for rank in (1, 2):
        deployment.node(rank, *options_of(run_arguments))
    run = {"num_server_rounds": 2, "timeout": 40.0, "strategy": "ranked", "output": str(tmp_path / "last.npz")}
    deployment.run(**run)
    deployment.kill_superlink()  # what it knew is gone with it
    deployment.start_superlink()
    (tmp_path / "last.npz").unlink()
    deployment.run(**run)
    assert difference(deployment, tmp_path) == 0.0


def test_nodes_of_a_superlink_with_a_database_go_on_as_they_are(fedtune, run_arguments, deployment, tmp_path):
    fedtune.run(*run_arguments("simulated"))
    deployment.start("--database", tmp_path / "state.db")
    for rank in (1, 2):
        deployment.node(rank, *options_of(run_arguments))
    run = {"num_server_rounds": 2, "timeout": 40.0, "strategy": "ranked", "output": str(tmp_path / "last.npz")}
    deployment.run(**run)
    nodes = node_ids(deployment)
    deployment.kill_superlink()
    deployment.start_superlink()
    (tmp_path / "last.npz").unlink()
    deployment.run(**run)
    assert difference(deployment, tmp_path) == 0.0
    assert node_ids(deployment) == nodes and len(nodes) == 2


def node_ids(deployment) -> list:
    """Every id that a node was given, in the order of the logs."""
    return re.findall(r"node (\d+) of ", deployment.logs())


class Release:
    """A release of Flower: how its Fleet is called, and with what."""

    def __init__(self, name, tmp_path, fedtune):
        self.over_grpc = name == "1.39"
        if self.over_grpc and not GRPC_FLOWER.exists():
            pytest.skip("no .venv-flower-grpc with Flower 1.39 in it: run `tools/setup.sh peer`")
        self.deployment = Deployment(tmp_path, fedtune, GRPC_FLOWER.parent if self.over_grpc else FLOWER)

    def start(self, *options, **connection):
        (self.deployment.start_over_grpc if self.over_grpc else self.deployment.start)(*options, **connection)


@pytest.fixture(params=["current", "1.39"])
def release(request, tmp_path, fedtune):
    made = Release(request.param, tmp_path, fedtune)
    yield made
    made.deployment.stop()


def both_apps_give_the_bits_of_the_simulation(deployment, tmp_path, run_arguments, kd_arguments, secure=lambda rank: []):
    """FedLoRA by nodes that then leave, FedKDLoRA by others that come in their places."""
    fedtune, config = deployment.fedtune, {"num_server_rounds": 2, "timeout": 40.0, "output": str(tmp_path / "last.npz")}
    for arguments in (run_arguments, kd_arguments):
        fedtune.run(*arguments("simulated"))
        options = options_of(arguments)
        nodes = [deployment.node(rank, *secure(rank), *options) for rank in (1, 2)]
        if arguments is run_arguments:
            deployment.run(strategy="ranked", **config)
        else:
            command = " ".join(map(str, [fedtune.path, "distill", *options]))
            deployment.run(strategy="distilling", distill=command, folder=str(tmp_path / "distil"), **config)
        assert difference(deployment, tmp_path) == 0.0
        (tmp_path / "last.npz").unlink()
        shutil.rmtree(tmp_path / "results")
        for node in nodes:
            deployment.end(node)


def test_fleet_over_grpc_of_the_current_release(fedtune, run_arguments, deployment, tmp_path):
    fedtune.run(*run_arguments("simulated"))
    deployment.start_over_grpc()
    for rank in (1, 2):
        deployment.node(rank, *options_of(run_arguments))
    deployment.run(num_server_rounds=2, timeout=40.0, strategy="ranked", output=str(tmp_path / "last.npz"))
    assert difference(deployment, tmp_path) == 0.0
    assert deployment.logs().count("speaks gRPC") >= 2


def test_fleet_over_grpc_of_an_older_release(fedtune, run_arguments, kd_arguments, tmp_path):
    older = Release("1.39", tmp_path, fedtune)
    try:
        older.start()
        both_apps_give_the_bits_of_the_simulation(older.deployment, tmp_path, run_arguments, kd_arguments)
        assert older.deployment.logs().count("speaks gRPC") >= 4
    finally:
        older.deployment.stop()


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="apt install openssh-client")
def test_tls_and_registered_keys(fedtune, run_arguments, kd_arguments, release, tmp_path):
    deployment, keys = release.deployment, tmp_path / "keys"
    fedtune.run("keys", keys, "--num-clients", 2)
    for rank in (1, 2):
        subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-b", "384", "-m", "PEM", "-N", "", "-f", keys / f"node-{rank}"],
                       check=True)
    release.start("--ssl-ca-certfile", keys / "ca.pem", "--ssl-certfile", keys / "server.pem", "--ssl-keyfile",
                  keys / "server.key", "--enable-supernode-auth",
                  connection=f'root-certificates = "{keys / "ca.pem"}"')
    check = ["client", "--superlink", deployment.fleet_address, "--rank", 1, "--check", "--tls-ca", keys / "ca.pem"]
    assert "the SuperLink wants registered keys" in fedtune.error(*check, code=4)
    for rank in (1, 2):
        deployment.flwr("supernode", "register", keys / f"node-{rank}.pub", "here")
    assert "node " in fedtune.run(*check, "--tls-key", keys / "node-1").stderr
    both_apps_give_the_bits_of_the_simulation(
        deployment, tmp_path, run_arguments, kd_arguments,
        lambda rank: ["--tls-ca", keys / "ca.pem", "--tls-key", keys / f"node-{rank}"])


def test_a_superlink_that_is_not_there_is_said(fedtune):
    line = fedtune.error("client", "--superlink", f"127.0.0.1:{free_port()}", "--rank", 1, "--check", "--wait", "0.3",
                         code=4)
    assert "does a SuperLink listen there?" in line
