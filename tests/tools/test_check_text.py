"""The text check finds open ends, paths of one machine and overlong sources."""

import check_text
import pytest


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME"])
def test_reports_an_open_end_in_a_source(word):
    (finding,) = check_text.check_text("src/a.cpp", f"int a;\n// {word}: the rest\n")
    assert finding.startswith("src/a.cpp:2: an open end")


@pytest.mark.parametrize("path", ["/" + "root/x", "/" + "work/main", "/" + "home/ada/x"])
def test_reports_a_path_of_one_machine(path):
    (finding,) = check_text.check_text("README.md", f"see {path}/y\n")
    assert "README.md:1: a path of one machine" in finding


def test_accepts_relative_paths_and_words_that_contain_an_open_end():
    assert check_text.check_text("a.py", "path = 'docs/" + "work/x'\nname = 'MASTO" + "DON'\n") == []


def test_reports_a_source_of_more_than_500_lines():
    assert check_text.check_text("a.h", "\n" * 500) == []
    (finding,) = check_text.check_text("a.h", "\n" * 501)
    assert "501 lines" in finding
