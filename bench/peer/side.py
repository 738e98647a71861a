"""One side of a comparison: processes that are asked line by line, and how its numbers are written."""

import json
import statistics
import subprocess
import time


class Side:
    """Processes that share the batches of a run between them."""

    def __init__(self, name: str, commands: list[list[str]]):
        self.name = name
        self.processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                          for command in commands]

    def ask(self, commands: list[str]) -> list:
        for process, command in zip(self.processes, commands, strict=False):
            process.stdin.write(command + "\n")
            process.stdin.flush()
        return [json.loads(process.stdout.readline()) for process, _ in zip(self.processes, commands, strict=False)]

    def run(self, first: int, count: int) -> dict:
        part = count // len(self.processes)
        start = time.perf_counter()
        answers = self.ask([f"run {first + i * part} {part}" for i in range(len(self.processes))])
        seconds = time.perf_counter() - start
        return {key: sum(answer[key] for answer in answers) / seconds for key in answers[0] if key != "seconds"}

    def close(self) -> None:
        for process in self.processes:
            process.stdin.close()
            process.wait()


def wants_turn(wanted: int, trial: bool, *ratios: list[float]) -> bool:
    """Whether another turn is due after those of the ratios: up to twice those wanted where some ratio spreads over more
    than a tenth of its median, which a trial does not mind."""
    done = len(ratios[0])
    if done < wanted:
        return True
    return (not trial and done < 2 * wanted
            and any(max(values) - min(values) > 0.1 * statistics.median(values) for values in ratios))


def spread(values: list[float], digits: int) -> str:
    return " / ".join(f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
