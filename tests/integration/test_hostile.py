"""Those who have no business here, and those who only cost: refused or borne, and the honest clients are served."""

import os
import pathlib
import resource
import socket
import subprocess
import threading
import time

import pytest
from test_network import Served


class Authority:
    """Certificates made with openssl, as good or bad as a test asks for."""

    def __init__(self, folder, name="authority"):
        self.folder = folder / name
        self.folder.mkdir()
        self.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ca.key")
        self.openssl("req", "-x509", "-new", "-key", "ca.key", "-subj", f"/CN={name}", "-days", 30, "-out", "ca.pem")

    def openssl(self, *arguments):
        return subprocess.run(["openssl", *map(str, arguments)], cwd=self.folder, capture_output=True, text=True,
                              check=True).stdout

    def issue(self, name: str, days=30, alternative="IP:127.0.0.1", itself=False) -> tuple:
        """Files of certificate and key; `itself`: signed by its own key."""
        (self.folder / "extensions").write_text(f"subjectAltName={alternative}\n")
        self.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
        self.openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
        signer = ["-signkey", f"{name}.key"] if itself else ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
        self.openssl("x509", "-req", "-in", f"{name}.csr", *signer, "-days", days, "-extfile", "extensions", "-out",
                     f"{name}.pem")
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def fingerprint(self, certificate) -> str:
        text = self.openssl("x509", "-in", certificate, "-noout", "-fingerprint", "-sha256")
        return text.partition("=")[2].strip().replace(":", "").lower()


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def serve(fedtune):
    started = []

    def start(arguments, **options):
        started.append(Served(fedtune, ["server", *arguments[1:]], **options))
        return started[-1]

    yield start
    for served in started:
        for process in (served.process, *served.clients.values()):
            process.kill()
            process.wait()


def shown(authority, pair) -> list:
    return ["--tls-ca", authority.folder / "ca.pem", "--tls-cert", pair[0], "--tls-key", pair[1]]


def test_whoever_does_not_belong_is_refused_and_the_honest_finish(
    fedtune, run_arguments, results_of, serve, authority, tmp_path):
    fedtune.run(*run_arguments("simulated"))
    honest = {rank: authority.issue(f"client-{rank}") for rank in (1, 2)}
    allow = tmp_path / "allow.txt"
    revoked = authority.issue("revoked")
    lines = [f"{rank} {authority.fingerprint(pair[0])}" for rank, pair in honest.items()]
    allow.write_text("\n".join([*lines, f"1 {authority.fingerprint(revoked[0])}"]) + "\n")
    served = serve([*run_arguments("served"), *shown(authority, authority.issue("server")), "--tls-allow", allow])
    allow.write_text("\n".join(lines) + "\n")  # while the server runs

    other = Authority(tmp_path, "other")
    foreign = other.issue("client-1")
    expired = authority.issue("expired", days=0)
    itself = authority.issue("itself", itself=True)
    unknown = authority.issue("unknown")
    time.sleep(1.1)  # days=0 is over once its second is

    ca = ["--tls-ca", authority.folder / "ca.pem"]
    address = f"127.0.0.1:{served.port}"
    for what, rank, arguments, reason in [
        ("plaintext", 1, [], "was not reached"),
        ("no certificate", 1, ca, "was not reached"),
        ("expired", 1, shown(authority, expired), "was not reached"),
        ("signed by itself", 1, shown(authority, itself), "was not reached"),
        ("of another authority", 1, shown(authority, foreign), "was not reached"),
        ("unknown", 1, shown(authority, unknown), "may not act as client 1"),
        ("revoked", 1, shown(authority, revoked), "may not act as client 1"),
        ("of another client", 2, shown(authority, honest[1]), "may not act as client 2"),
        ("a server that is not ours", 1, ["--tls-ca", other.folder / "ca.pem", "--tls-cert", foreign[0], "--tls-key",
                                          foreign[1]], "was not reached"),
    ]:
        line = fedtune.error("client", "--server", address, "--rank", rank, "--wait", "0.5", *arguments, code=4)
        assert reason in line, f"{what}: {line}"

    for rank, pair in honest.items():
        served.join(rank, *shown(authority, pair))
    served.finish()
    assert results_of("served")["fedtune"]["final_sha256"] == results_of("simulated")["fedtune"]["final_sha256"]


@pytest.mark.parametrize("alternative, days", [("DNS:elsewhere.example", 30), ("IP:127.0.0.1", 0)])
def test_a_server_with_another_name_or_an_expired_certificate_is_not_talked_to(
    fedtune, run_arguments, serve, authority, alternative, days):
    server = authority.issue("server", alternative=alternative, days=days)
    served = serve([*run_arguments("a"), "--tls-cert", server[0], "--tls-key", server[1]])
    time.sleep(1.1)
    line = fedtune.error("client", "--server", f"127.0.0.1:{served.port}", "--rank", 1, "--wait", "0.5", "--tls-ca",
                         authority.folder / "ca.pem", code=4)
    assert "was not reached" in line


# ---------------------------------------------------------------------------------------------- what they cost

def status_of(process, key: str) -> int:
    """A line of /proc/PID/status, in kB."""
    with open(f"/proc/{process.pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(f"{key}:"))


def timed_federation(fedtune, run_arguments, name: str, before=lambda port: None) -> tuple[float, int]:
    """Seconds from the first client to the end, and the server's largest memory in kB; `before` has its port first."""
    served = Served(fedtune, ["server", *run_arguments(name, num_rounds=5, client_epochs=4)[1:]])
    kept = before(served.port)
    started = time.monotonic()
    peak = 0
    try:
        for rank in (1, 2):
            served.join(rank)
        while served.process.poll() is None:
            try:
                peak = max(peak, status_of(served.process, "VmHWM"))
            except (OSError, StopIteration):
                break
            time.sleep(0.05)
        served.finish()
    finally:
        for process in (served.process, *served.clients.values()):
            process.kill()
            process.wait()
        del kept
    return time.monotonic() - started, peak


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])  # and an empty SETTINGS frame


@pytest.mark.long
def test_5000_idle_connections_leave_an_honest_client_working(fedtune, run_arguments, results_of):
    count = 5000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count + 500:
        pytest.skip(f"no more than {hard} files may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def connect(port):
        sockets = []
        for _ in range(count):
            sockets.append(socket.create_connection(("127.0.0.1", port), timeout=30))
            sockets[-1].sendall(PREFACE)
        return sockets

    usual, memory = timed_federation(fedtune, run_arguments, "alone")
    crowded, crowded_memory = timed_federation(fedtune, run_arguments, "crowded", connect)
    print(f"alone {usual:.1f} s, {memory} kB; with {count} idle connections {crowded:.1f} s, {crowded_memory} kB")
    assert results_of("crowded")["fedtune"]["final_sha256"] == results_of("alone")["fedtune"]["final_sha256"]
    assert crowded < 2 * usual + 5
    assert crowded_memory < memory + 512 * 1024


@pytest.mark.long
def test_slow_senders_leave_an_honest_client_working(fedtune, run_arguments, results_of):
    """A thousand who send a byte of their greeting every second."""
    stop = threading.Event()

    def drip(port):
        sockets = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(1000)]

        def work():
            for place in range(len(PREFACE)):
                for one in sockets:
                    try:
                        one.sendall(PREFACE[place:place + 1])
                    except OSError:
                        pass  # the server has had enough
                if stop.wait(1.0):
                    return

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return sockets, thread

    usual, memory = timed_federation(fedtune, run_arguments, "alone")
    slowed, slowed_memory = timed_federation(fedtune, run_arguments, "slowed", drip)
    stop.set()
    assert results_of("slowed")["fedtune"]["final_sha256"] == results_of("alone")["fedtune"]["final_sha256"]
    assert slowed < 2 * usual + 5
    assert slowed_memory < memory + 256 * 1024


def open_files(process) -> set[tuple[str, str]]:
    """Descriptors, each with what it is of."""
    found = set()
    for descriptor in pathlib.Path(f"/proc/{process.pid}/fd").iterdir():
        try:
            found.add((descriptor.name, os.readlink(descriptor)))
        except FileNotFoundError:
            pass  # closed meanwhile
    return found


@pytest.mark.long
def test_memory_and_descriptors_stay_as_they_are_over_1000_rounds(fedtune, run_arguments):
    # A few rounds more, so that the last sample is not of the making of the results.
    process = fedtune.start(*run_arguments("a", num_rounds=1010, max_train_sentences=30, workers=1), "--progress", "plain")
    memory, kept_open = {}, {}
    for line in process.stdout:
        if not line.startswith("round "):
            continue
        number = int(line.split("/")[0].split()[1])
        for first in (200, 996):
            if first <= number < first + 5:  # what is open in all of them is not a file that is just being written
                memory[first] = status_of(process, "VmRSS")
                found = open_files(process)
                kept_open[first] = kept_open.get(first, found) & found
    assert process.wait(timeout=60) == 0
    print(memory, kept_open)
    assert len(kept_open[996]) == len(kept_open[200])
    assert memory[996] < memory[200] * 1.01
