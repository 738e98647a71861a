"""The commands in the documentation: each is run here as it stands, or is listed here with the reason why it is not.

The commands of a page run in order, in one folder, on small things in place of large ones: models/minilm is a 2-layer model,
examples/opinions has 120 rows, and the hub is on this machine, serving random models and our own sentences under the real
names. SUBSTITUTES says what else is changed. A block with a server has its commands run at once.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest
from harness import GOLDEN, ROOT, write_dataset
from hub_server import Repository, serving
from test_multigpu import free_address
from test_parquet import single, write_glue

PAGES = sorted(str(path.relative_to(ROOT)) for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"),
                                                        ROOT / "multigpu/README.md", ROOT / "integrations/flower/README.md"])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HERE_DOCUMENT = re.compile(r"<<'(\w+)'")
COMMAND = re.compile(r"(build/|fedtune |make |\.venv|python3? |jq |tensorboard |ssh-keygen |flwr |flower-|source |srun |git |cmake |pip )")

# Quick enough for every run of the tests; the others are for `make test-long`.
QUICK = {"docs/own-data.md", "docs/deploy.md", "docs/formats.md", "docs/reliability.md", "docs/events.md"}

# What a page takes to be there: runs of the reader's own.
RUN = "build/fedtune run --scheme fedlora --client-ckpt models/minilm --data-path examples/opinions --num-clients 2 --num-rounds 1"
EXISTING = {
    "docs/reliability.md": [f"{RUN} --name RUN"],
    "docs/events.md": [f"{RUN} --name NAME"],
    "docs/reports.md": [f"{RUN} --name a", f"{RUN} --seed 1 --name b", f"{RUN} --output results/opinions --name c"],
}

# A server of this machine, on a port that is free, in place of those of the page.
SUBSTITUTES = ["127.0.0.1:8080", "0.0.0.0:8080", "server.example.org:8080"]

SUPERLINK = "needs a SuperLink: tests/integration/test_superlink.py starts one"
TESTS = "is the tests"
FORM = "a form to fill in: docs/reproduce.md has it filled in"
ELSEWHERE = {
    "make demo": "minutes, with the real MiniLM",
    "make test": TESTS,
    "make fuzz": "is in make test-long, for a shorter time",
    "make fuzz TARGET=csv RUNS=10000000": "is hours of fuzzing",
    "build/tests/fuzz_corpus_test": TESTS,
    ".venv-peer/bin/python tests/golden/make_fixtures.py": "writes the fixtures anew",
    ".venv/bin/python tools/run_tests.py --programs build": TESTS,
    ".venv/bin/pytest tests/integration": TESTS,
    ".venv-peer/bin/python tests/parity/run.py --build build": "is tests/parity/test_parity.py, which is long",
    "build/tests/fed_test --gtest_filter=Simulation.*": TESTS,
    "FEDTUNE_SIMULATION_SEEDS=10000 build/tests/fed_test --gtest_filter=Simulation.*": "is make test-soak",
    "FEDTUNE_SIMULATION_SEED=379 build/tests/fed_test --gtest_filter=Simulation.*": "needs the tests' programs, which this one does not",
    "tensorboard --logdir results": "serves until it is stopped; test_page_in_browser.py opens the same files",
    "ssh-keygen -t ecdsa -b 384 -m PEM -N '' -f node-1": SUPERLINK,
    "fedtune client --superlink superlink.example.org:8000 --rank 1 --tls-ca ca.pem --tls-key node-1 --check": SUPERLINK,
    "flower-superlink --insecure --host 127.0.0.1 --port 8000": SUPERLINK,
    "build/fedtune client --superlink 127.0.0.1:8000 --rank 1 --scheme fedlora --num-clients 2 --client-ckpt models/minilm --data-path examples/opinions":
        SUPERLINK,
    "build/fedtune client --superlink 127.0.0.1:8000 --rank 2 --scheme fedlora --num-clients 2 --client-ckpt models/minilm --data-path examples/opinions":
        SUPERLINK,
    "flwr run integrations/flower CONNECTION --stream -c 'num-server-rounds=3'": SUPERLINK,
    "source multigpu/run.sh 4 [OPTION VALUE]...": FORM,
    "source multigpu/run-lora.sh 4 [OPTION VALUE]...": FORM,
    "source multigpu/run-kd-lora.sh 4 [OPTION VALUE]...": FORM,
    "srun --ntasks 5 bash multigpu/run-lora.sh [OPTION VALUE]...": "needs Slurm: test_multigpu.py sets its variables",
}


def commands_of(block: str) -> list[str]:
    """A command is a line without its comment, with the here-document that follows it."""
    commands, end = [], None
    for line in block.splitlines():
        if end:
            commands[-1] += "\n" + line
            end = None if line == end else end
        elif re.sub(r"(^|\s+)# .*", "", line):
            commands.append(re.sub(r"\s+# .*", "", line))
            opened = HERE_DOCUMENT.search(line)
            end = opened and opened[1]
    return commands


def blocks_of(page: str) -> list[list[str]]:
    return [commands_of(text) for kind, text in BLOCK.findall((ROOT / page).read_text()) if kind == "sh"]


def to_run(page: str) -> list[list[str]]:
    return [kept for block in blocks_of(page) if (kept := [command for command in block if command not in ELSEWHERE])]


def test_what_is_run_elsewhere_still_stands_in_a_page():
    written = {command for page in PAGES for block in blocks_of(page) for command in block}
    assert set(ELSEWHERE) <= written


@pytest.mark.parametrize("page", PAGES)
def test_a_block_of_commands_is_marked_as_one(page):
    text = (ROOT / page).read_text()
    first_lines = [content.split("\n")[0] for kind, content in BLOCK.findall(text) if kind != "sh"]
    assert [line for line in first_lines if COMMAND.match(line)] == []


@pytest.fixture
def environment(fedtune, tmp_path):
    """The program as `fedtune`, and a hub with what the pages ask of it."""
    tables = {"train": single(120, 1), "validation": single(40, 2)}
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "fedtune").symlink_to(fedtune.path)
    with serving() as hub:
        for name in ("bert-base-uncased", "distilbert-base-uncased"):
            kind = name.split("-")[0]
            owner = {"bert": "google-bert", "distilbert": "distilbert"}[kind]
            hub.add_model(f"{owner}/{name}", GOLDEN / kind)
            hub.renamed[name] = f"{owner}/{name}"
        files = {}
        for task in ("cola", "sst2"):
            folder = write_glue(tmp_path / "served", task, tables)
            files |= {f"{task}/{path.name}": path.read_bytes() for path in folder.iterdir()}
        hub.datasets["nyu-mll/glue"] = Repository(files, lfs=set(files))
        hub.renamed["glue"] = "nyu-mll/glue"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING_FACE", "TRANSFORMERS_"))}
        yield kept | {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "hf"), "FEDTUNE": str(fedtune.path),
                      "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}


@pytest.fixture
def project(fedtune, tmp_path) -> pathlib.Path:
    """The project's folder as a reader has it, with small things in it."""
    folder = tmp_path / "project"
    for name in ("build", "models", "examples"):
        (folder / name).mkdir(parents=True)
    (folder / "build" / "fedtune").symlink_to(fedtune.path)
    shutil.copytree(GOLDEN / "bert", folder / "models" / "minilm")
    write_dataset(folder / "examples" / "opinions", 120, 40)
    for name in ("tests", "bench", "multigpu", "examples/sweeps"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def shell(commands: list[str], folder, environment) -> None:
    script = "set -eo pipefail\n" + "\n".join(commands)
    with subprocess.Popen(["bash", "-c", script], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, start_new_session=True) as process:
        try:
            output, errors = process.communicate(timeout=240)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == 0, f"{script}\nexit code {process.returncode}\n{output[-2000:]}\n{errors[-2000:]}"


def shells_at_once(commands: list[str], folder, environment) -> None:
    """Each in a terminal of its own; the first that fails fails all."""
    with contextlib.ExitStack() as stack:
        processes = []
        for number, command in enumerate(commands):
            output = stack.enter_context(open(folder / f"terminal-{number}", "w+"))
            process = subprocess.Popen(["bash", "-c", command], cwd=folder, env=environment, stdout=output,
                                       stderr=subprocess.STDOUT, start_new_session=True)
            stack.callback(lambda process=process: process.poll() is None and os.killpg(process.pid, signal.SIGKILL))
            processes.append(process)
        end = time.monotonic() + 120
        while any(process.poll() is None for process in processes) and not any(process.poll() for process in processes):
            assert time.monotonic() < end, [path.read_text() for path in folder.glob("terminal-*")]
            time.sleep(0.05)
        codes = [process.poll() for process in processes]
        assert not any(codes), (commands, codes, [path.read_text() for path in folder.glob("terminal-*")])


def on_this_machine(command: str, address: str) -> str:
    for place in SUBSTITUTES:
        command = command.replace(place, address)
    has_server = re.match(r"(build/)?fedtune server |source multigpu/", command)
    return f"{command} --address {address}" if has_server and "--address" not in command else command


@pytest.mark.parametrize("page", [pytest.param(page, marks=[] if page in QUICK else [pytest.mark.long])
                                  for page in PAGES if to_run(page)])
def test_the_commands_of_a_page_run_in_order(page, project, environment):
    blocks = to_run(page)
    if not shutil.which("jq") and any(command.startswith("jq ") for block in blocks for command in block):
        pytest.skip("no jq")
    shell(EXISTING.get(page, []), project, environment)
    for block in blocks:
        address = free_address()
        # The certificates are for a host, not a port.
        commands = [on_this_machine(command, address) for command in block]
        at_once = any(re.match(r"(build/)?fedtune server ", command) for command in commands)
        (shells_at_once if at_once else shell)(commands, project, environment)
