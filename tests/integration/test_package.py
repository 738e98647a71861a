"""The packaged program in a bare Debian: no Python, no torch, none of the libraries that a build needs."""

import os
import re
import shutil
import subprocess

import pytest
from harness import GOLDEN, ROOT

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root"),
    pytest.mark.skipif(shutil.which("debootstrap") is None, reason="apt install debootstrap"),
]


def run(*command, **options) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def bare_root(tmp_path_factory):
    """A minimal Debian of this machine's release, with the package in /srv."""
    work = tmp_path_factory.mktemp("package")
    root = work / "root"
    codename = re.search(r"^VERSION_CODENAME=(\w+)", open("/etc/os-release").read(), re.M)[1]
    mirror = re.search(r"https?://\S+", run("apt-cache", "policy"))[0]
    made = subprocess.run(["debootstrap", "--variant=minbase", "--no-check-gpg", codename, root, mirror],
                          capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"debootstrap {codename} from {mirror}: {made.stdout[-300:]}")
    run(ROOT / "tools" / "package.sh", ROOT / "build", work / "dist", cwd=ROOT)
    (archive,) = (work / "dist").glob("*.tar.gz")
    run("tar", "-C", root / "srv", "-xzf", archive)
    (folder,) = (root / "srv").glob("fedtune-*")
    folder.rename(root / "srv" / "fedtune")
    run("mount", "-t", "proc", "proc", root / "proc")  # the loader reads there where a program lies
    yield root
    run("umount", root / "proc")


def test_a_federation_of_processes_runs_there(bare_root, dataset, fedtune, run_arguments, results_of):
    assert not list(bare_root.glob("usr/bin/python3*"))
    shutil.copytree(GOLDEN / "bert", bare_root / "srv" / "bert")
    shutil.copytree(dataset, bare_root / "srv" / "opinions")
    program = ["chroot", bare_root, "/srv/fedtune/bin/fedtune"]
    common = ["--scheme", "fedlora", "--client-ckpt", "/srv/bert", "--data-path", "/srv/opinions", "--num-clients", 2,
              "--num-rounds", 2, "--client-lr", "5e-3", "--batch-size", 8, "--output", "/srv/results"]
    server = subprocess.Popen([*map(str, [*program, "server", *common, "--name", "a", "--address", "127.0.0.1:0",
                                          "--progress", "plain"])], stdout=subprocess.PIPE, text=True)
    port = next(found[1] for line in server.stdout if (found := re.search(r"listening on .*:(\d+) for", line)))
    clients = [subprocess.Popen([*map(str, [*program, "client", "--server", f"127.0.0.1:{port}", "--rank", rank])])
               for rank in (1, 2)]
    assert [client.wait(timeout=60) for client in clients] == [0, 0]
    rest = server.communicate(timeout=60)[0]
    assert server.returncode == 0, rest
    fedtune.run(*run_arguments("here"))
    assert results_of("here")["fedtune"]["final_sha256"] in rest
