"""Flower's own programs, live: its Python clients under our server, our clients under its server."""

import json
import os
import pathlib
import socket
import subprocess

import pytest
from harness import ROOT
from test_network import Served

PEER = ROOT / ".venv-peer" / "bin" / "python"
SCRIPTS = ROOT / "tests" / "flower"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not PEER.exists(), reason="no .venv-peer with Flower in it: run `tools/setup.sh peer`"),
]


def environment(home: pathlib.Path) -> dict:
    return os.environ | {"FLWR_TELEMETRY_ENABLED": "0", "FLWR_DISABLE_UPDATE_CHECK": "1", "FLWR_HOME": str(home),
                         "HF_HUB_OFFLINE": "1", "GRPC_VERBOSITY": "NONE"}


@pytest.fixture
def peer(tmp_path):
    """peer(script, arguments...) starts one of Flower's programs."""
    started = []

    def start(script: str, *arguments) -> subprocess.Popen:
        command = [str(PEER), str(SCRIPTS / script), *map(str, arguments)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        env=environment(tmp_path / "flwr")))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ended(process, seconds=90) -> str:
    output = process.communicate(timeout=seconds)[0]
    assert process.returncode == 0, output
    return output


def test_a_python_client_trains_beside_ours(fedtune, run_arguments, models, dataset, results_of, peer):
    served = Served(fedtune, ["server", *run_arguments("mixed", num_rounds=3)[1:]])
    served.join(1)
    python = peer("peer_client.py", "--server", f"127.0.0.1:{served.port}", "--model", models["bert"], "--data",
                  dataset / "train.tsv")
    served.finish()
    text = ended(python)
    assert all(f"round {number} as client 2" in text for number in (1, 2, 3)), text
    ours = results_of("mixed")["fedtune"]
    assert all(entry["up"] == entry["down"] for entry in ours["bytes"])
    assert ours["metrics"][3]["loss"] < ours["metrics"][0]["loss"]


def test_our_clients_under_flowers_server_give_the_simulations_numbers(
    fedtune, run_arguments, models, results_of, peer, tmp_path):
    fedtune.run(*run_arguments("simulated"))
    address = f"127.0.0.1:{free_port()}"
    server = peer("peer_server.py", "--address", address, "--clients", 2, "--rounds", 2, "--output",
                  tmp_path / "last.npz")
    options = [option for option in run_arguments("unused")[1:] if option not in ("--name", "unused")]
    clients = [fedtune.start("client", "--server", address, "--rank", rank, *options) for rank in (1, 2)]
    log = ended(server)
    for client in clients:
        error = client.communicate(timeout=30)[1]
        assert client.returncode == 0 and "a Flower server" in error, error + log

    adapter = tmp_path / "results" / "simulated" / "adapter" / "adapter_model.safetensors"
    print(ended(peer("compare_arrays.py", tmp_path / "last.npz", adapter)))
    losses = json.loads((tmp_path / "last.npz.json").read_text())
    expected = results_of("simulated")["results"]["losses_distributed"]
    assert [entry[1] for entry in losses] == pytest.approx([entry[1] for entry in expected], rel=1e-4)
