"""Checkpoints by their names on the hub: downloads, what they leave in the cache, and all that can go wrong."""

import json
import os
import re
import signal
import threading

import pytest
from hub_server import Fault, Repository, serving

NAME = "owner/tiny"
FILES = ["config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"]


@pytest.fixture
def hub(models):
    with serving() as hub:
        repository = hub.add_model(NAME, models["bert"])
        repository.files = {name: repository.files[name] for name in FILES}
        repository.files["pytorch_model.bin"] = b"a pickle"
        repository.files["README.md"] = b"of no use here"
        repository.lfs = {"model.safetensors"}
        yield hub


@pytest.fixture
def environment(hub, tmp_path):
    """Of a program whose hub is this one, with an empty cache and no token."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING_FACE", "TRANSFORMERS_"))}
    return kept | {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DOWNLOAD_TIMEOUT": "5"}


@pytest.fixture
def inspect(fedtune, environment):
    """inspect(name, VARIABLE=value...) of the program: the facts that it prints, or with code= its error."""

    def call(name=NAME, *options, code=0, **variables):
        arguments = ["inspect", name, "--json", *options]
        if code:
            return fedtune.error(*arguments, code=code, env=environment | variables)
        done = fedtune.run(*arguments, env=environment | variables)
        return json.loads(done.stdout), done.stderr

    return call


@pytest.fixture
def repository_folder(tmp_path):
    return tmp_path / "hf" / "hub" / "models--owner--tiny"


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_model_of_byte_pairs_comes_with_its_vocabulary_and_merges(fedtune, hub, models, environment, inspect):
    hub.add_model("owner/bytes", models["roberta"])
    facts, _ = inspect("owner/bytes")
    assert (facts["model type"], facts["positions"]) == ("roberta", 24)
    fetched = {request.path.split("/")[-1] for request in hub.seen("/resolve/", "GET")}
    assert fetched >= {"config.json", "model.safetensors", "vocab.json", "merges.txt"}
    answers = [fedtune.run("predict", "--client-ckpt", place, input="naïve film\n", env=environment | {"HF_HUB_OFFLINE": "1"}).stdout
               for place in ("owner/bytes", models["roberta"])]
    assert answers[0] == answers[1] != ""


def test_a_name_is_downloaded_into_the_caches_layout(hub, inspect, repository_folder):
    facts, stderr = inspect()
    assert facts["model type"] == "bert"
    commit = hub.models[NAME].commit
    assert (repository_folder / "refs" / "main").read_text() == commit
    snapshot = repository_folder / "snapshots" / commit
    assert files_in(snapshot) == FILES, "only what is needed, and no pickle"
    for name in FILES:
        link = snapshot / name
        assert os.readlink(link) == f"../../blobs/{hub.models[NAME].etag(name)}"
        assert link.read_bytes() == hub.models[NAME].files[name]
    assert not list(repository_folder.glob("blobs/*.incomplete"))
    size = sum(len(hub.models[NAME].files[name]) for name in FILES)
    assert re.search(rf"downloading owner/tiny \({commit[:8]}\): 4 files, {size / 1000:.1f} kB\n", stderr)
    assert re.search(rf"downloaded owner/tiny \({commit[:8]}\): {size / 1000:.1f} kB in [0-9.]+ s\n", stderr)


def test_what_is_in_the_cache_is_not_asked_for_again(hub, inspect):
    first, _ = inspect()
    hub.requests.clear()
    second, stderr = inspect(HF_HUB_OFFLINE="1")
    assert second == first and not hub.requests and "download" not in stderr


def test_quiet_downloads_say_nothing(inspect):
    assert inspect(NAME, "--quiet")[1] == ""


def test_a_file_that_is_missing_in_the_snapshot_is_fetched_alone(hub, inspect, repository_folder):
    inspect()
    snapshot = repository_folder / "snapshots" / hub.models[NAME].commit
    (snapshot / "vocab.txt").resolve().unlink()
    hub.requests.clear()
    inspect()
    assert [r.path.split("/")[-1] for r in hub.seen("/resolve/", "GET")] == ["vocab.txt"]


def test_a_new_commit_does_not_disturb_an_old_snapshot(hub, inspect, repository_folder):
    inspect()
    old = hub.models[NAME].commit
    hub.models[NAME].files["config.json"] += b"\n"
    (repository_folder / "refs" / "main").unlink()
    inspect()
    assert {path.name for path in (repository_folder / "snapshots").iterdir()} == {old, hub.models[NAME].commit}
    assert len(hub.seen("model.safetensors", "GET")) == 1, "the blob is the same"


def test_shards_are_fetched_as_their_index_names_them(hub, inspect, models, tmp_path):
    repository = hub.models[NAME]
    weights = repository.files.pop("model.safetensors")
    header = json.loads(weights[8 : 8 + int.from_bytes(weights[:8], "little")])
    names = [name for name in header if name != "__metadata__"]
    repository.files["model.safetensors.index.json"] = json.dumps(
        {"weight_map": {name: "model-00001-of-00001.safetensors" for name in names}}).encode()
    repository.files["model-00001-of-00001.safetensors"] = weights
    repository.files["model-00009-of-00009.safetensors"] = b"not named"
    facts, _ = inspect()
    assert facts["parameters"] > 0
    assert not hub.seen("model-00009")


def test_a_renamed_repository_is_followed_under_the_old_name(hub, inspect, tmp_path):
    hub.renamed["old-name"] = NAME
    inspect("old-name")
    assert (tmp_path / "hf" / "hub" / "models--old-name" / "refs" / "main").exists()


def test_the_token_is_shown_to_the_hub_and_to_no_other_host(hub, inspect):
    hub.models[NAME].access = "private"
    inspect(HF_TOKEN=hub.token)
    to_hub = [r for r in hub.requests if r.host == "hub"]
    to_others = [r for r in hub.requests if r.host == "content"]
    assert to_others and to_hub
    assert all(r.headers.get("authorization") == f"Bearer {hub.token}" for r in to_hub)
    assert not any("authorization" in r.headers for r in to_others)


def test_the_token_comes_from_the_file_that_huggingface_writes(hub, inspect, tmp_path):
    hub.models[NAME].access = "private"
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "token").write_text(hub.token + "\n")
    inspect()


def test_a_token_that_is_not_accepted_is_said_and_not_shown(inspect):
    error = inspect(code=3, HF_TOKEN="hf_wrong")
    assert "does not accept the token" in error and "Invalid credentials" in error and "hf_wrong" not in error


def test_a_name_that_is_not_there_may_be_private(hub, inspect):
    error = inspect("owner/other", code=3)
    assert "'owner/other' is no path that exists, and" in error
    assert "has no model of that name, or it is private and no token was given" in error
    hub.models[NAME].access = "private"
    assert "private and no token was given" in inspect(code=3)
    assert "may not see it" in inspect("owner/other", code=3, HF_TOKEN=hub.token)


def test_a_gated_repository_says_where_its_conditions_are(hub, inspect):
    hub.models[NAME].access = "gated"
    error = inspect(code=3)
    assert "gated and no token was given" in error and f"{hub.address}/{NAME}" in error
    assert "has not been let in" in inspect(code=3, HF_TOKEN=hub.token)


def test_a_pickle_alone_is_not_fetched(hub, inspect):
    del hub.models[NAME].files["model.safetensors"]
    error = inspect(code=3)
    assert "lacks a model.safetensors" in error and "pickle" in error
    assert not hub.seen("/resolve/")


def test_offline_nothing_is_asked_for(hub, inspect):
    error = inspect(code=3, HF_HUB_OFFLINE="1")
    assert "it is not in the cache" in error and "HF_HUB_OFFLINE" in error
    assert not hub.requests


def test_too_many_requests_wait_as_long_as_the_server_asks(hub, inspect):
    hub.faults = [Fault("/api/", status=429, headers={"Retry-After": "1"}, times=1)]
    _, stderr = inspect()
    assert "HTTP 429; trying again in 1 s (2 of 5)" in stderr


@pytest.mark.parametrize("pattern, method", [("/api/", "GET"), ("config.json", "HEAD"), ("config.json", "GET")])
def test_trouble_of_the_server_that_passes_is_only_said(hub, inspect, pattern, method):
    hub.faults = [Fault(pattern, status=503, method=method, times=1)]
    _, stderr = inspect()
    assert "HTTP 503; trying again in 0.5 s (2 of 5)" in stderr


def test_trouble_that_stays_is_a_network_error(hub, inspect):
    hub.faults = [Fault("/api/", status=500, headers={"Retry-After": "0"})]
    error = inspect(code=4)
    assert "HTTP 500, 5 times in a row" in error
    assert len(hub.seen("/api/")) == 5


def test_a_hub_that_is_not_there_is_a_network_error(hub, inspect):
    error = inspect(code=4, HF_ENDPOINT="http://127.0.0.1:9")
    assert "http://127.0.0.1:9" in error and "cannot be reached" in error


def test_an_answer_of_something_else_is_a_network_error(hub, inspect):
    hub.models[NAME].__class__ = type("NoCommit", (Repository,), {"commit": "latest"})
    assert "does not answer as a hub does" in inspect(code=4)


def test_a_cut_connection_is_gone_on_with_where_it_broke(hub, inspect):
    hub.faults = [Fault("signature", cut_after=1000, times=2)]
    facts, stderr = inspect()
    assert facts["model type"] == "bert"
    ranges = [r.headers.get("range") for r in hub.seen("signature", "GET")]
    assert ranges == [None, "bytes=1000-", "bytes=2000-"]
    assert stderr.count("trying again") == 2


def test_what_arrived_before_the_program_ended_is_not_fetched_again(hub, inspect, repository_folder):
    hub.faults = [Fault("signature", cut_after=1000, times=1), Fault("signature", status=404)]
    assert "HTTP 404 from localhost" in inspect(code=4)
    (part,) = repository_folder.glob("blobs/*.incomplete")
    assert part.stat().st_size == 1000
    hub.faults = []
    _, stderr = inspect()
    assert "model.safetensors: going on at byte 1000" in stderr
    assert hub.seen("signature", "GET")[-1].headers["range"] == "bytes=1000-"
    assert not part.exists()


def test_a_server_without_ranges_begins_anew(hub, inspect):
    hub.faults = [Fault("signature", cut_after=1000, ignore_range=True, times=1), Fault("signature", ignore_range=True)]
    assert inspect()[0]["model type"] == "bert"


def test_a_partial_file_of_something_else_is_thrown_away_once(hub, inspect, repository_folder):
    (repository_folder / "blobs").mkdir(parents=True)
    etag = hub.models[NAME].etag("model.safetensors")
    (repository_folder / "blobs" / f"{etag}.incomplete").write_bytes(b"x" * 500)
    facts, stderr = inspect()
    assert facts["model type"] == "bert" and "does not fit the rest" in stderr


@pytest.mark.parametrize("name, pattern", [("model.safetensors", "signature"), ("config.json", "config.json")])
def test_content_with_another_hash_is_thrown_away(hub, inspect, repository_folder, name, pattern):
    content = bytearray(hub.models[NAME].files[name])
    content[len(content) // 2] ^= 1
    hub.faults = [Fault(pattern, content=bytes(content), method="GET")]
    error = inspect(code=4)
    assert f"{name}: what was downloaded has not the hash" in error
    assert not list(repository_folder.glob(f"blobs/{hub.models[NAME].etag(name)}*"))
    assert not (repository_folder / "refs" / "main").exists()


def test_more_than_was_announced_is_refused(hub, inspect):
    content = hub.models[NAME].files["model.safetensors"] + b"more"
    hub.faults = [Fault("signature", content=content)]
    assert "sends more than" in inspect(code=4)


def test_an_etag_that_is_no_file_name_is_refused(hub, inspect, tmp_path):
    hub.models[NAME].__class__ = type("Climbing", (Repository,), {"etag": lambda self, name: "../../../escaped"})
    assert "no usable ETag" in inspect(code=4)
    assert not list(tmp_path.rglob("escaped*"))


def test_an_index_cannot_lead_out_of_its_folder(hub, inspect):
    del hub.models[NAME].files["model.safetensors"]
    hub.models[NAME].files["model.safetensors.index.json"] = b'{"weight_map": {"a": "../../x.safetensors"}}'
    assert "expected a safetensors file beside the index" in inspect(code=3)


def test_plain_http_to_another_machine_is_refused_unless_said(hub, inspect):
    error = inspect(code=2, HF_ENDPOINT="http://192.0.2.1")
    assert "plain HTTP to another machine" in error and "--insecure" in error


def test_a_redirect_to_plain_http_elsewhere_is_refused(hub, inspect):
    hub.content_address = "http://192.0.2.1"
    assert "the redirect to http://192.0.2.1" in inspect(code=2)


def test_redirects_without_end_are_an_error(hub, inspect):
    hub.faults = [Fault("/api/", status=302, headers={"Location": "/api/round"})]
    assert "more than 8 redirects" in inspect(code=4)


def test_a_cache_that_cannot_be_written_is_said(inspect, tmp_path):
    (tmp_path / "hf").write_text("a file where the folder should be")
    assert str(tmp_path / "hf") in inspect(code=1)


def test_two_processes_download_a_file_once(hub, fedtune, environment):
    both_ask = threading.Barrier(2, timeout=60)
    hub.faults = [Fault("/api/", before=both_ask.wait, times=2)]
    processes = [fedtune.start("inspect", NAME, env=environment) for _ in range(2)]
    for process in processes:
        stdout, stderr = process.communicate(timeout=60)
        assert process.returncode == 0, stderr
        assert "model type" in stdout
    assert len(hub.seen("signature", "GET")) == 1


def test_an_interrupt_ends_a_download_that_stands_still(hub, fedtune, environment, dataset):
    reached, go_on = threading.Event(), threading.Event()

    def stand_still():
        reached.set()
        go_on.wait(60)

    hub.faults = [Fault("signature", before=stand_still)]
    process = fedtune.start("run", "--client-ckpt", NAME, "--scheme", "fedlora", "--data-path", dataset, env=environment | {"HF_HUB_DOWNLOAD_TIMEOUT": "600"})
    assert reached.wait(60)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    go_on.set()
    assert process.returncode == 130
