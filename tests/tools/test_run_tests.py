"""The test runner counts what really happened: a crash, a missing program or an empty run is never a success."""

import pathlib
import subprocess
import sys

import pytest

RUNNER = pathlib.Path(__file__).resolve().parents[2] / "tools" / "run_tests.py"

# Reports as gtest does where it is asked to; the shell stands in for a compiled program.
PROGRAM = """#!/bin/sh
for argument; do case $argument in --gtest_output=json:*) report=${argument#--gtest_output=json:};; esac; done
cat > "$report" <<'REPORT'
{"testsuites": [{"name": "Suite", "testsuite": [%s]}]}
REPORT
%s
"""
PASSED = '{"name": "Passes", "status": "RUN", "result": "COMPLETED"}'
FAILED = '{"name": "Fails", "status": "RUN", "result": "COMPLETED", "failures": [{"failure": "1 is not 2"}]}'
SKIPPED = '{"name": "Skips", "status": "RUN", "result": "SKIPPED"}'


@pytest.fixture
def build(tmp_path):
    """A build folder that lists the given programs (name -> text; None: listed, never built)."""

    def make(programs: dict[str, str | None]) -> pathlib.Path:
        (tmp_path / "tests").mkdir()
        (tmp_path / "tests" / "programs.txt").write_text("\n".join(programs))
        for name, text in programs.items():
            if text is not None:
                path = tmp_path / "tests" / name
                path.write_text(text)
                path.chmod(0o755)
        return tmp_path

    return make


def run(*arguments) -> tuple[int, str, str]:
    """Exit status, last line, whole output."""
    done = subprocess.run([sys.executable, RUNNER, *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()[-1], done.stdout


def test_adds_the_counts_of_all_programs(build):
    folder = build({"a_test": PROGRAM % (PASSED, ""), "b_test": PROGRAM % (f"{PASSED}, {SKIPPED}", "")})
    assert run("--programs", folder)[:2] == (0, "2 passed, 0 failed, 1 skipped")


def test_names_a_failed_test_and_exits_1(build):
    status, last, output = run("--programs", build({"a_test": PROGRAM % (f"{PASSED}, {FAILED}", "exit 1")}))
    assert (status, last) == (1, "1 passed, 1 failed")
    assert "Suite.Fails\n1 is not 2" in output


def test_counts_a_crash_as_a_failure(build):
    status, last, output = run("--programs", build({"a_test": "#!/bin/sh\necho went wrong\nkill -SEGV $$\n"}))
    assert (status, last) == (1, "0 passed, 1 failed")
    assert "ended with status -11\nwent wrong" in output


def test_counts_a_bad_exit_after_passing_tests_as_a_failure(build):
    assert run("--programs", build({"a_test": PROGRAM % (PASSED, "exit 66")}))[:2] == (1, "1 passed, 1 failed")


def test_counts_a_program_that_was_not_built_as_a_failure(build):
    assert run("--programs", build({"a_test": None}))[:2] == (1, "0 passed, 1 failed")


def test_refuses_an_empty_run(build):
    assert run("--programs", build({}))[:2] == (1, "0 passed, 0 failed")


@pytest.mark.parametrize("more", [(), ("--pytest-jobs", 2)], ids=["one process", "two processes"])
def test_adds_pytest_and_reports_its_failures(tmp_path, more):
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert 1 == 2\n"
        "@pytest.mark.skip\n"
        "def test_skipped(): pass\n"
    )
    status, last, output = run("--pytest", tmp_path, *more)
    assert (status, last) == (1, "1 passed, 1 failed, 1 skipped")
    assert "test_bad" in output
