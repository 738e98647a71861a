"""The layer check finds each kind of breach, and nothing in a tree that keeps to its layers."""

import pathlib

import check_layers
import pytest

TABLE = """
fedtune_layer(base   DEPS fmt::fmt)
fedtune_layer(format DEPS fedtune_base)
fedtune_layer(fed    DEPS fedtune_format)
fedtune_layer(nn     TORCH DEPS fedtune_base)
"""


@pytest.fixture
def tree(tmp_path):
    """Writes files (path -> text) below a layer table and returns the check's findings."""
    (tmp_path / "CMakeLists.txt").write_text(TABLE)

    def findings(files: dict[str, str]) -> list[str]:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return check_layers.check(tmp_path)

    return findings


def test_accepts_own_linked_and_transitively_linked_layers(tree):
    assert tree({"fed/a.h": '#include "fedtune/fed/b.h"\n#include "fedtune/format/c.h"\n#include "fedtune/base/d.h"\n'}) == []


def test_reports_a_layer_that_is_not_linked_with_file_and_line(tree):
    (finding,) = tree({"base/a.cpp": '#include <string>\n#include "fedtune/fed/b.h"\n'})
    assert "base/a.cpp:2: layer base includes layer fed" in finding


def test_reports_a_breach_in_a_sub_folder_and_in_a_test(tree):
    findings = tree({"nn/kernels/a.h": '#include "fedtune/fed/b.h"\n', "nn/a_test.cpp": '#include "fedtune/fed/b.h"\n'})
    assert len(findings) == 2


def test_reports_a_detour_around_the_walls(tree):
    (finding,) = tree({"base/a.cpp": '#include "../fed/b.h"\n'})
    assert "includes ../fed/b.h" in finding


@pytest.mark.parametrize("header", ["torch/types.h", "ATen/ATen.h", "c10/core/Device.h"])
def test_reports_torch_above_its_line(tree, header):
    (finding,) = tree({"fed/a.cpp": f"#include <{header}>\n"})
    assert f"stands above the torch line and includes {header}" in finding


def test_accepts_torch_below_its_line(tree):
    assert tree({"nn/a.cpp": "#include <ATen/ATen.h>\n"}) == []


def test_reports_a_folder_that_is_no_layer(tree):
    (finding,) = tree({"stray/a.cpp": "\n"})
    assert "folder stray is no layer" in finding


def test_reads_every_layer_of_this_project():
    source = pathlib.Path(__file__).resolve().parents[2] / "src" / "fedtune"
    table = (source / "CMakeLists.txt").read_text()
    assert len(check_layers.read_layers(table)) == table.count("\nfedtune_layer(")
    assert check_layers.check(source) == []
