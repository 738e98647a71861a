"""A federation over several hosts: network namespaces, each with an address of its own and a cable to the server's."""

import os
import re
import shutil
import subprocess
import uuid

import pytest


def ip(*arguments, check=True):
    return subprocess.run(["ip", *map(str, arguments)], check=check, capture_output=True, text=True)


def may_make_hosts() -> bool:
    if shutil.which("ip") is None or os.geteuid() != 0:
        return False
    name = f"fedtune-{uuid.uuid4().hex[:8]}"
    made = ip("netns", "add", name, check=False).returncode == 0
    ip("netns", "del", name, check=False)
    return made


pytestmark = pytest.mark.skipif(not may_make_hosts(), reason="making network namespaces needs root and iproute2")


class Hosts:
    """A server's host, and clients' hosts with a cable each: client k has 10.83.k.2, the server 10.83.k.1 to it."""

    def __init__(self, clients: int):
        self.tag = uuid.uuid4().hex[:6]
        self.names = [f"fedtune-{self.tag}-{k}" for k in range(clients + 1)]  # 0 is the server's
        for name in self.names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        for k in range(1, clients + 1):
            here, there = f"ft{self.tag}{k}a", f"ft{self.tag}{k}b"
            ip("link", "add", here, "netns", self.names[0], "type", "veth", "peer", "name", there, "netns", self.names[k])
            for name, device, last in ((self.names[0], here, 1), (self.names[k], there, 2)):
                ip("-n", name, "addr", "add", f"10.83.{k}.{last}/24", "dev", device)
                ip("-n", name, "link", "set", device, "up")
            ip("-n", self.names[k], "route", "add", "default", "via", f"10.83.{k}.1")

    def start(self, k: int, *command):
        return subprocess.Popen(["ip", "netns", "exec", self.names[k], *map(str, command)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def cable(self, k: int, state: str):
        ip("-n", self.names[k], "link", "set", f"ft{self.tag}{k}b", state)
        if state == "up":
            ip("-n", self.names[k], "route", "replace", "default", "via", f"10.83.{k}.1")

    def remove(self):
        for name in self.names:
            for process in ip("netns", "pids", name, check=False).stdout.split():
                subprocess.run(["kill", "-9", process], check=False)
            ip("netns", "del", name, check=False)


@pytest.fixture
def hosts():
    made = Hosts(2)
    yield made
    made.remove()


@pytest.fixture
def keys(fedtune, tmp_path):
    """Certificates for a server that clients know as 10.83.1.1."""
    folder = tmp_path / "keys"
    fedtune.run("keys", folder, "--num-clients", 2, "--address", "10.83.1.1:1")
    return folder


def lines_until(process, pattern) -> str:
    seen = ""
    for line in process.stdout:
        seen += line
        if re.search(pattern, line):
            return seen
    raise AssertionError(f"no '{pattern}' in {seen}\n{process.stderr.read()}")


class Federation:
    def __init__(self, hosts, fedtune, keys, arguments):
        self.hosts, self.fedtune, self.keys = hosts, fedtune, keys
        tls = ["--tls-ca", keys / "ca.pem", "--tls-cert", keys / "server.pem", "--tls-key", keys / "server.key",
               "--tls-allow", keys / "allow.txt"]
        self.server = hosts.start(0, fedtune.path, "server", *arguments[1:], "--address", "0.0.0.0:0", *tls,
                                  "--progress", "plain")
        self.port = re.search(r":(\d+) for", lines_until(self.server, "listening on"))[1]

    def join(self, rank):
        tls = ["--tls-ca", self.keys / "ca.pem", "--tls-cert", self.keys / f"client-{rank}.pem", "--tls-key",
               self.keys / f"client-{rank}.key"]
        return self.hosts.start(rank, self.fedtune.path, "client", "--server", f"10.83.1.1:{self.port}", "--rank", rank,
                                *tls)


def test_three_hosts_give_the_bits_of_one(fedtune, run_arguments, results_of, hosts, keys):
    fedtune.run(*run_arguments("simulated"))
    federation = Federation(hosts, fedtune, keys, run_arguments("hosts"))
    clients = [federation.join(rank) for rank in (1, 2)]
    output = federation.server.communicate(timeout=100)
    assert federation.server.returncode == 0, output
    for client in clients:
        text = client.communicate(timeout=30)[1]
        assert client.returncode == 0, text
    assert results_of("hosts")["fedtune"]["final_sha256"] == results_of("simulated")["fedtune"]["final_sha256"]


def test_a_host_that_is_cut_off_is_left_out_and_taken_in_again(fedtune, run_arguments, results_of, hosts, keys):
    arguments = run_arguments("cut", num_rounds=40, client_epochs=4, round_timeout=3, min_clients=1)
    federation = Federation(hosts, fedtune, keys, arguments)
    clients = [federation.join(rank) for rank in (1, 2)]
    lines_until(federation.server, "round 1/40")
    hosts.cable(2, "down")
    lines_until(federation.server, "client 2 is left out")
    hosts.cable(2, "up")
    output = federation.server.communicate(timeout=100)
    assert federation.server.returncode == 0, output
    for client in clients:
        text = client.communicate(timeout=60)[1]
        assert client.returncode == 0, text
    assert len(results_of("cut")["fedtune"]["metrics"]) == 41
