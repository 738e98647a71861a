"""The memory of a family of processes: the summed PSS, which counts a shared page once.

To sum it up takes some 15 to 45 ms for each gigabyte, in which that process can neither map memory nor give it back: often
enough to see what a round needs, seldom enough not to slow it down.
"""

import threading
from pathlib import Path


def family(pid: int) -> list[int]:
    """The process and its children, theirs too."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:
                pass
    return found


def pss(pid: int) -> int:
    """Bytes; 0 for a process that has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:")), 0)


class PeakMemory:
    """The largest sum over the families of processes while it is open."""

    def __init__(self, pids: list[int], every: float = 2.0):
        self.pids, self.every, self.bytes = pids, every, 0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self) -> None:
        while not self.stopped.wait(self.every):
            self.bytes = max(self.bytes, sum(pss(member) for pid in self.pids for member in family(pid)))

    def __enter__(self) -> "PeakMemory":
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.stopped.set()
        self.thread.join()
