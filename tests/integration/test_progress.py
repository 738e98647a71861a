"""What a run shows: on a terminal, on a narrow one, without colours, in a pipe."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
ERASE = "\r\x1b[K"


@pytest.fixture
def on_terminal(fedtune):
    """on_terminal(arguments, columns) is all that a run writes to a terminal of that width."""

    def run(arguments: list, columns: int = 100, **environment) -> str:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([str(fedtune.path), *map(str, arguments)], stdout=theirs, stderr=theirs,
                                   stdin=subprocess.DEVNULL, env=os.environ | {"TERM": "xterm"} | environment)
        os.close(theirs)
        written = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not block:
                break
            written += block
        os.close(ours)
        assert process.wait(timeout=60) == 0, written
        return written.decode()

    return run


def drawn(written: str) -> list[str]:
    """The lines that were redrawn in place, without colours."""
    return [COLOUR.sub("", part).split("\r")[0].split("\n")[0] for part in written.split(ERASE)[1:]]


def test_a_terminal_gets_one_line_redrawn_in_place(on_terminal, run_arguments):
    written = on_terminal(run_arguments("a", workers=1, num_rounds=4))
    lines = [line for line in drawn(written) if line.startswith("round ")]
    assert any("[" in line and "sentences/s" in line for line in lines)
    assert COLOUR.search(written)
    # The bar is erased before the summary, which has no codes in it.
    assert "\x1b" not in written[written.index("fedlora: 2 clients"):]


def test_no_color_takes_the_colours_and_nothing_else(on_terminal, run_arguments):
    written = on_terminal(run_arguments("a", workers=1), NO_COLOR="1")
    assert not COLOUR.search(written) and ERASE in written
    assert COLOUR.search(on_terminal(run_arguments("b", workers=1), NO_COLOR=""))


@pytest.mark.parametrize("columns", [1, 10, 24, 40, 60])
def test_a_narrow_terminal_is_never_overrun_by_the_line(on_terminal, run_arguments, columns):
    lines = drawn(on_terminal(run_arguments("a", workers=1), columns))
    assert (lines or columns == 1) and all(len(line) < columns for line in lines if line.startswith("round"))


@pytest.mark.parametrize("changes", [{"TERM": "dumb"}, {}])
def test_where_lines_cannot_be_redrawn_there_are_no_codes(fedtune, on_terminal, run_arguments, changes):
    arguments = run_arguments("a", workers=1)
    written = on_terminal(arguments, **changes) if changes else fedtune.run(*arguments).stdout
    assert "\x1b" not in written
    assert len(re.findall(r"^round \d/2 ", written, re.M)) == 2


def test_quiet_writes_nothing_to_a_terminal_either(on_terminal, run_arguments):
    assert on_terminal(run_arguments("a", workers=1, quiet=True)) == ""


@pytest.mark.parametrize("mode, lines", [("plain", 2), ("none", 0)])
def test_the_display_can_be_chosen(on_terminal, run_arguments, mode, lines):
    written = on_terminal(run_arguments("a", workers=1, progress=mode))
    assert ERASE not in written
    assert len(re.findall(r"^round \d/2 ", written, re.M)) == lines
