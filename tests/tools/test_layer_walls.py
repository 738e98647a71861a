"""The build itself refuses a layer that includes what it does not link."""

import pathlib
import subprocess

CMAKE_FOLDER = pathlib.Path(__file__).resolve().parents[2] / "cmake"
PROJECT = f"""
cmake_minimum_required(VERSION 3.25)
project(walls LANGUAGES CXX)
include({CMAKE_FOLDER}/Layers.cmake)
add_library(fedtune_options INTERFACE)
fedtune_layer(low  DEPS)
fedtune_layer(high DEPS fedtune_low)
"""
LOW_HEADER = "#pragma once\nint low();\n"
HIGH_HEADER = "#pragma once\nint high();\n"


def build(folder: pathlib.Path, files: dict[str, str]) -> subprocess.CompletedProcess:
    for name, text in {"CMakeLists.txt": PROJECT, "low/low.h": LOW_HEADER, "high/high.h": HIGH_HEADER, **files}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    subprocess.run(["cmake", "-S", folder, "-B", folder / "build", "-G", "Ninja"], check=True, capture_output=True)
    return subprocess.run(["cmake", "--build", folder / "build"], capture_output=True, text=True)


def test_a_layer_may_include_what_it_links(tmp_path):
    low = '#include "fedtune/low/low.h"\nint low() { return 1; }\n'
    high = '#include "fedtune/high/high.h"\n#include "fedtune/low/low.h"\nint high() { return low(); }\n'
    done = build(tmp_path, {"low/low.cpp": low, "high/high.cpp": high})
    assert done.returncode == 0, done.stdout


def test_a_layer_cannot_include_what_it_does_not_link(tmp_path):
    done = build(tmp_path, {"low/low.cpp": '#include "fedtune/high/high.h"\n'})
    assert done.returncode != 0
    assert "fedtune/high/high.h: No such file" in done.stdout
