"""A federation of processes: fedtune server and its clients."""

import array
import json
import math
import random
import re
import shutil
import signal
import socket
import threading

import pytest
import safetensors_file


class Ended(AssertionError):
    """A process ended before it wrote what it was to write."""


class Served:
    """A server on a port of its own, and clients of it."""

    def __init__(self, fedtune, arguments, port=0, **options):
        self.fedtune = fedtune
        self.process = fedtune.start(*arguments, "--address", f"127.0.0.1:{port}", "--progress", "plain", **options)
        self.lines = []
        self.port = int(self.read_until(r"listening on .*:(\d+) for").group(1))
        self.clients = {}

    def read_until(self, pattern):
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found
        raise Ended(f"no '{pattern}' in {''.join(self.lines)}\n{self.process.stderr.read()}")

    def join(self, rank, *more):
        self.clients[rank] = self.fedtune.start(
            "client", "--server", f"127.0.0.1:{self.port}", "--rank", rank, "--log-level", "debug", *more)
        return self.clients[rank]

    def finish(self):
        """Everyone ends, and ends well; what the clients wrote."""
        self.lines += self.process.communicate(timeout=100)[0].splitlines(keepends=True)
        assert self.process.returncode == 0, "".join(self.lines)
        outputs = {}
        for rank, client in self.clients.items():
            outputs[rank] = client.communicate(timeout=30)[1]
            assert client.returncode == 0, outputs[rank]
        return outputs


@pytest.fixture
def wide_model(models, tmp_path):
    """The fixtures' DistilBERT as wide as the real one, with weights made up."""
    folder = tmp_path / "wide"
    shutil.copytree(models["distilbert"], folder, ignore=shutil.ignore_patterns("adapter", "*.safetensors"))
    config = json.loads((folder / "config.json").read_text())
    narrow, config["dim"], config["hidden_dim"] = config["dim"], 768, 64
    hidden = json.loads((models["distilbert"] / "config.json").read_text())["hidden_dim"]
    (folder / "config.json").write_text(json.dumps(config))
    header, _ = safetensors_file.read(models["distilbert"] / "model.safetensors")
    chance = random.Random(3)
    pool = array.array("f", (chance.gauss(0.0, 0.02) for _ in range(4093))).tobytes()
    tensors = {}
    for name, entry in header.items():
        entry["dtype"] = "F32"
        entry["shape"] = [{narrow: 768, hidden: 64}.get(extent, extent) for extent in entry["shape"]]
        size = 4 * math.prod(entry["shape"])
        tensors[name] = (pool * (size // len(pool) + 1))[:size]
    safetensors_file.write(folder / "model.safetensors", header, tensors)
    return folder


class CountingProxy:
    """Hands bytes on between clients and a server, and counts them as they pass."""

    def __init__(self, port):
        self.to_server = self.to_client = 0
        self.server_port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.server_port))
            threading.Thread(target=self.hand_on, args=(client, server, "to_server"), daemon=True).start()
            threading.Thread(target=self.hand_on, args=(server, client, "to_client"), daemon=True).start()

    def hand_on(self, source, target, counter):
        try:
            while data := source.recv(1 << 16):
                setattr(self, counter, getattr(self, counter) + len(data))
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@pytest.fixture
def serve(fedtune, request):
    started = []

    def start(arguments, port=0):
        started.append(Served(fedtune, ["server", *arguments[1:]], port))
        return started[-1]

    yield start
    for served in started:
        for process in (served.process, *served.clients.values()):
            process.kill()
            process.wait()


@pytest.mark.parametrize("scheme", ["fedavg", "fedlora", "fedkdlora"])
def test_a_federation_over_the_network_gives_the_bits_of_the_simulation(
    fedtune, kd_arguments, results_of, serve, scheme):
    common = {"scheme": scheme, "num_clients": 3}
    fedtune.run(*kd_arguments("simulated", **common))
    served = serve(kd_arguments("served", **common))
    for rank in (3, 1, 2):
        served.join(rank)
    outputs = served.finish()
    simulated, networked = (results_of(name)["fedtune"] for name in ("simulated", "served"))
    assert networked["final_sha256"] == simulated["final_sha256"]
    assert networked["metrics"] == simulated["metrics"]
    assert networked["bytes"] == simulated["bytes"]
    assert all("round 2" in text and "the run is over" in text for text in outputs.values())


def test_the_socket_sees_hardly_more_than_the_adapters(run_arguments, results_of, serve, wide_model):
    rounds = 4
    served = serve(run_arguments("a", client_ckpt=wide_model, num_clients=1, num_rounds=rounds))
    proxy = CountingProxy(served.port)
    served.port = proxy.port
    served.join(1)
    served.finish()
    said = results_of("a")["fedtune"]["bytes"]
    assert said[0]["up"] > 2_000_000  # as DistilBERT's, whose layers are as wide
    for counted, side in ((proxy.to_server, "up"), (proxy.to_client, "down")):
        adapters = sum(entry[side] for entry in said)
        assert adapters < counted < 1.02 * adapters, (side, counted, adapters)


def test_a_server_that_was_killed_goes_on_with_its_clients_to_the_same_bits(
    fedtune, run_arguments, results_of, serve, tmp_path):
    rounds = {"num_rounds": 6, "client_epochs": 4}
    fedtune.run(*run_arguments("simulated", **rounds))
    served = serve(run_arguments("served", **rounds))
    clients = [served.join(rank) for rank in (1, 2)]
    served.read_until("round 2/6")
    served.process.kill()
    served.process.wait()
    again = serve(["server", "--resume", tmp_path / "results" / "served"], port=served.port)
    again.finish()
    for client in clients:
        text = client.communicate(timeout=60)[1]
        assert client.returncode == 0 and "out of reach" in text, text
    assert results_of("served")["fedtune"]["final_sha256"] == results_of("simulated")["fedtune"]["final_sha256"]


def test_a_server_that_goes_on_after_its_last_round_tells_the_clients_that_look_for_it(run_arguments, serve, tmp_path):
    served = serve(run_arguments("a"))
    served.join(1), served.join(2)
    served.finish()
    for left in ("a/results.json", "a.json"):  # as if it had been killed once its last round was kept
        (tmp_path / "results" / left).unlink()
    clients = [served.join(rank) for rank in (1, 2)]
    lost = [client.stderr.readline() for client in clients]
    assert all("out of reach" in line for line in lost), lost
    serve(["server", "--resume", tmp_path / "results" / "a"], port=served.port).finish()
    for client in clients:
        text = client.communicate(timeout=30)[1]
        assert client.returncode == 0 and "the run is over" in text, text


def test_a_client_that_was_killed_is_taken_in_again(fedtune, run_arguments, results_of, serve):
    rounds = {"num_rounds": 6, "client_epochs": 4}
    fedtune.run(*run_arguments("simulated", **rounds))
    served = serve(run_arguments("served", **rounds))
    served.join(1)
    doomed = served.join(2)
    served.read_until("round 2/6")
    doomed.kill()
    doomed.wait()
    served.join(2)
    served.finish()
    assert results_of("served")["fedtune"]["final_sha256"] == results_of("simulated")["fedtune"]["final_sha256"]


def test_a_round_closes_at_its_deadline_without_a_client_that_hangs(fedtune, run_arguments, results_of, serve):
    served = serve(run_arguments("a", num_rounds=6, client_epochs=4, round_timeout=3, min_clients=1))
    served.join(1)
    hanging = served.join(2)
    served.read_until("round 1/6")
    hanging.send_signal(signal.SIGSTOP)
    served.read_until("client 2 is left out: it has not answered within 3 s")
    hanging.send_signal(signal.SIGCONT)
    outputs = served.finish()
    assert "left out" in outputs[2] or "the run is over" in outputs[2]
    assert len(results_of("a")["fedtune"]["metrics"]) == 7


def test_an_interrupted_server_says_how_to_go_on(run_arguments, serve, tmp_path):
    served = serve(run_arguments("a"))
    served.process.send_signal(signal.SIGINT)
    _, stderr = served.process.communicate(timeout=30)
    assert served.process.returncode == 130
    assert f"fedtune server --resume {tmp_path / 'results' / 'a'}" in stderr


@pytest.fixture
def waiting(run_arguments, serve):
    return serve(run_arguments("a"))


def test_a_contradiction_is_refused_and_what_is_ones_own_affair_is_not(fedtune, models, dataset, waiting):
    address = f"127.0.0.1:{waiting.port}"
    line = fedtune.error("client", "--server", address, "--rank", 1, "--client-lr", "1e-4", "--seed", 0, code=2)
    assert "--client-lr 0.0001 (the server has 0.005)" in line and "seed" not in line
    done = fedtune.run("client", "--server", address, "--rank", 1, "--check", "--client-ckpt", models["bert"],
                       "--data-path", dataset, "--client-lr", "5e-3")
    assert f"client 1 of {address}" in done.stderr


def test_another_model_is_refused(fedtune, models, waiting):
    line = fedtune.error("client", "--server", f"127.0.0.1:{waiting.port}", "--rank", 1, "--client-ckpt",
                         models["distilbert"], code=3)
    assert "its weights are not the server's" in line


@pytest.mark.parametrize("arguments, code, message", [
    (["--rank", 1], 2, "give --server"),
    (["--server", "127.0.0.1:1"], 2, "give --rank"),
    (["--server", "127.0.0.1:1", "--rank", 1, "--wait", "0.2"], 4, "was not reached for 0.2 s"),
    (["--server", "example.org:1", "--rank", 1], 2, "nothing would be encrypted"),
])
def test_a_client_that_cannot_join_says_why(fedtune, arguments, code, message):
    assert message in fedtune.error("client", *arguments, code=code)


def test_a_rank_that_the_run_has_not_is_refused(fedtune, waiting):
    line = fedtune.error("client", "--server", f"127.0.0.1:{waiting.port}", "--rank", 3, code=4)
    assert "this run has clients 1 to 2" in line


def test_a_server_without_its_clients_gives_up_when_told_to(fedtune, run_arguments):
    line = fedtune.error("server", *run_arguments("a", address="127.0.0.1:0", wait=0.3)[1:], code=4)
    assert "clients 1, 2 have not come within 0.3 s" in line


def test_a_port_in_use_is_said(fedtune, run_arguments, waiting):
    address = f"127.0.0.1:{waiting.port}"
    assert f"listening on {address}" in fedtune.error(
        "server", *run_arguments("b", address=address)[1:], code=4)


def test_certificates_from_one_command_carry_a_federation(fedtune, run_arguments, serve, tmp_path):
    keys = tmp_path / "keys"
    fedtune.run("keys", keys, "--num-clients", 2)
    served = serve([*run_arguments("a"), "--tls-ca", keys / "ca.pem", "--tls-cert", keys / "server.pem",
                    "--tls-key", keys / "server.key", "--tls-allow", keys / "allow.txt"])

    def certified(holder):
        return ["--tls-ca", keys / "ca.pem", "--tls-cert", keys / f"client-{holder}.pem",
                "--tls-key", keys / f"client-{holder}.key"]

    line = fedtune.error(
        "client", "--server", f"127.0.0.1:{served.port}", "--rank", 2, *certified(1), code=4)
    assert "may not act as client 2" in line
    for rank in (1, 2):
        served.join(rank, *certified(rank))
    served.finish()
