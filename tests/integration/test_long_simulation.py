"""The deterministic simulation of the round engine, ten thousand seeds of it."""

import os
import subprocess

import pytest
from harness import ROOT


@pytest.mark.soak
def test_10000_simulated_federations_keep_what_is_promised():
    program = ROOT / "build" / "tests" / "fed_test"
    if not program.exists():
        pytest.skip(f"{program} is not built: make build")
    done = subprocess.run([program, "--gtest_filter=Simulation.*"], env={**os.environ, "FEDTUNE_SIMULATION_SEEDS": "10000"},
                          capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout[-6000:]
