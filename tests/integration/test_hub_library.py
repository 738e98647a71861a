"""The cache that the program writes, read by huggingface_hub and transformers, and the other way round."""

import json
import subprocess
import threading

import pytest
from harness import ROOT
from hub_server import Fault
from test_hub import FILES, NAME, environment, files_in, hub, repository_folder  # noqa: F401

PEER = ROOT / ".venv-peer" / "bin" / "python"
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not PEER.exists(), reason="no .venv-peer with huggingface_hub in it: run `tools/setup.sh peer`"),
]


@pytest.fixture
def python(environment):  # noqa: F811
    """python(code) in the reference's environment, against the same hub and cache; what it prints as JSON."""

    def call(code: str, **variables):
        done = subprocess.run([PEER, "-c", code], env=environment | {"HF_HUB_DISABLE_PROGRESS_BARS": "1"} | variables,
                              capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return call


def test_the_library_reads_what_we_wrote(hub, fedtune, environment, python):  # noqa: F811
    fedtune.run("inspect", NAME, env=environment)
    hub.requests.clear()
    found = python(f"""
import json, os, huggingface_hub
folder = huggingface_hub.snapshot_download("{NAME}", local_files_only=True)
one = huggingface_hub.hf_hub_download("{NAME}", "config.json", local_files_only=True)
scan = huggingface_hub.scan_cache_dir()
(repo,) = scan.repos
(revision,) = repo.revisions
print(json.dumps([sorted(os.listdir(folder)), os.path.dirname(one) == folder, [str(w) for w in scan.warnings],
                  repo.repo_id, sorted(revision.refs), revision.commit_hash, revision.nb_files]))""")
    assert found == [FILES, True, [], NAME, ["main"], hub.models[NAME].commit, len(FILES)]
    assert not hub.requests


def test_transformers_loads_what_we_wrote(hub, fedtune, environment, python):  # noqa: F811
    fedtune.run("inspect", NAME, env=environment)
    assert python(f"""
import json, transformers
model = transformers.AutoModelForSequenceClassification.from_pretrained("{NAME}")
tokenizer = transformers.AutoTokenizer.from_pretrained("{NAME}")
print(json.dumps([type(model).__name__, len(tokenizer("the film")["input_ids"])]))""", HF_HUB_OFFLINE="1") == [
        "BertForSequenceClassification", 4]


def test_the_library_fetches_nothing_that_we_fetched(hub, fedtune, environment, python):  # noqa: F811
    fedtune.run("inspect", NAME, env=environment)
    hub.requests.clear()
    python(f"""
import json, huggingface_hub
for file in {FILES}:
    huggingface_hub.hf_hub_download("{NAME}", file)
print(json.dumps(0))""")
    assert hub.seen("/resolve/", "HEAD") and not hub.seen("/resolve/", "GET")


def test_we_read_what_the_library_wrote(hub, fedtune, environment, python):  # noqa: F811
    python(f"""
import json, huggingface_hub
huggingface_hub.snapshot_download("{NAME}", ignore_patterns=["*.bin", "*.md"])
print(json.dumps(0))""")
    hub.requests.clear()
    fedtune.run("inspect", NAME, env=environment)
    fedtune.run("inspect", NAME, env=environment | {"HF_HUB_OFFLINE": "1"})
    assert not hub.requests


def test_we_add_to_a_snapshot_that_the_library_began(hub, fedtune, environment, python, repository_folder):  # noqa: F811
    python(f"""
import json, huggingface_hub
huggingface_hub.hf_hub_download("{NAME}", "config.json")
print(json.dumps(0))""")
    fedtune.run("inspect", NAME, env=environment)
    assert files_in(repository_folder / "snapshots" / hub.models[NAME].commit) == FILES
    assert len(hub.seen("/config.json", "GET")) == 1


def test_the_library_goes_on_with_what_we_began(hub, fedtune, environment, python):  # noqa: F811
    hub.faults = [Fault("signature", cut_after=1000, times=1), Fault("signature", status=404, times=1)]
    fedtune.error("inspect", NAME, code=4, env=environment)
    python(f"""
import json, huggingface_hub
huggingface_hub.hf_hub_download("{NAME}", "model.safetensors")
print(json.dumps(0))""")
    assert hub.seen("signature", "GET")[-1].headers["range"] == "bytes=1000-"
    fedtune.run("inspect", NAME, env=environment)


def test_both_at_once_download_a_blob_once(hub, fedtune, environment, python):  # noqa: F811
    """The library holds the lock while the server stands still, and the program waits for it."""
    reached, go_on = threading.Event(), threading.Event()

    def stand_still():
        reached.set()
        assert go_on.wait(120)

    hub.faults = [Fault("signature", method="GET", before=stand_still, times=1)]
    library = threading.Thread(target=python, args=(f"""
import json, huggingface_hub
huggingface_hub.hf_hub_download("{NAME}", "model.safetensors")
print(json.dumps(0))""",), kwargs={"HF_HUB_DOWNLOAD_TIMEOUT": "120"})
    library.start()
    assert reached.wait(120)
    process = fedtune.start("inspect", NAME, env=environment)
    said = []
    for line in process.stderr:
        said.append(line)
        if "another process is downloading the same file" in line:
            break
    go_on.set()
    stdout, _ = process.communicate(timeout=60)
    library.join()
    assert process.returncode == 0 and "model type" in stdout, said
    assert len(hub.seen("signature", "GET")) == 1
