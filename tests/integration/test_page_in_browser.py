"""A report's page in a real browser, and a run's scalars in the real TensorBoard."""

import json
import os
import shutil
import subprocess

import pytest
from harness import ROOT

HERE = ROOT / "tests" / "report"
NODE_MODULES = HERE / "node_modules"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
PEER = ROOT / ".venv-peer" / "bin" / "python"

pytestmark = pytest.mark.long
in_browser = pytest.mark.skipif(not (CHROMIUM and NODE_MODULES.exists() and shutil.which("node")),
                                reason="no browser to look with: run `tools/setup.sh browser`")


@pytest.fixture
def pages(fedtune, kd_arguments, tmp_path):
    """Pages of one run, of two schemes, of three seeds and of many clients of which one is left out."""
    results = tmp_path / "results"
    for scheme in ("fedlora", "fedkdlora"):
        for seed in (1, 2, 3):
            fedtune.run(*kd_arguments(f"{scheme}-{seed}", scheme=scheme, seed=seed, num_rounds=5, workers=1,
                                      partition="dirichlet", compare_central=seed == 1))
    fedtune.run(*kd_arguments("many", scheme="fedlora", num_clients=40, fraction_fit=0.3, num_rounds=30, workers=1))
    chosen = {"one": ["fedkdlora-1"], "two": ["fedlora-1", "fedkdlora-1"], "many": ["many"],
              "seeds": [f"{scheme}-{seed}" for scheme in ("fedlora", "fedkdlora") for seed in (1, 2, 3)]}
    for name, runs in chosen.items():
        fedtune.run("report", *(results / run for run in runs), "--output", tmp_path / f"{name}.html")
    return {name: tmp_path / f"{name}.html" for name in chosen}


def seen(page) -> dict:
    done = subprocess.run(["node", HERE / "check_page.mjs", page], capture_output=True, text=True, timeout=300,
                          env=os.environ | {"CHROMIUM": CHROMIUM, "NODE_MODULES": str(NODE_MODULES)})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check(name: str, facts: dict) -> None:
    for view in ("light", "dark", "phone"):
        page, at = facts[view], f"{name}, {view}"
        assert page["messages"] == [] and page["requests"] == [] and page["scripts"] == 0, at
        assert page["violations"] == [] and page["rules_passed"] > 20, at
        assert page["sideways"] <= 0 and page["unfolded_sideways"] <= 0, at
        assert len(page["charts"]) == facts["charts_without_scripts"] >= 7, at
        for chart in page["charts"]:
            where = f"{at}: {chart['title']}"
            assert chart["marks"] > 0 and chart["table_rows"] > 0 and chart["name"], where
            assert chart["end_labels"] == chart["lines"], where
            assert chart["cut"] == [] and chart["overlapping"] == [], where
            assert chart["smallest_text"] > 10, where
        assert len(page["stops"]) > 10 and all(stop["outline"] != "none" for stop in page["stops"]), at
    assert facts["light"]["background"] != facts["dark"]["background"], name


@in_browser
def test_pages_are_whole_readable_and_accessible_in_light_in_dark_and_on_a_phone(pages):
    for name, page in pages.items():
        assert page.stat().st_size < 1_000_000
        check(name, seen(page))


READ_SCALARS = """
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
board = EventAccumulator(sys.argv[1]).Reload()
print(json.dumps({tag: [[e.step, e.value] for e in board.Scalars(tag)] for tag in board.Tags()["scalars"]}))
"""


@pytest.mark.skipif(not PEER.exists(), reason="no .venv-peer with TensorBoard in it: run `tools/setup.sh peer`")
def test_tensorboard_reads_a_runs_scalars(fedtune, kd_arguments, tmp_path, results_of):
    fedtune.run(*kd_arguments("a", num_rounds=3, workers=1))
    done = subprocess.run([PEER, "-c", READ_SCALARS, tmp_path / "results" / "a" / "tensorboard"], capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    scalars = json.loads(done.stdout)
    metrics = results_of("a")["fedtune"]["metrics"]
    for tag, key in (("validation/accuracy", "accuracy"), ("validation/mcc", "mcc"), ("teacher/loss", "teacher_loss")):
        assert scalars[tag] == [[entry["round"], pytest.approx(entry[key], rel=1e-6)] for entry in metrics]
    assert [step for step, _ in scalars["clients/norm_max"]] == [1, 2, 3]
