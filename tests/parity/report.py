"""One line per comparison: what, the largest error measured, what is allowed, and whether it holds."""

import dataclasses
import json
import pathlib


@dataclasses.dataclass(frozen=True)
class Row:
    what: str
    error: float
    tolerance: float

    @property
    def ok(self):
        return self.error <= self.tolerance


class Report:
    def __init__(self):
        self.rows = []

    def add(self, what, error, tolerance):
        row = Row(what, float(error), tolerance)
        self.rows.append(row)
        print(self._line(row), flush=True)

    @staticmethod
    def _line(row):
        return f"{row.what:<66} {row.error:>10.2e} {row.tolerance:>10.0e}   {'ok' if row.ok else 'FAILED'}"

    @staticmethod
    def print_header():
        print(f"{'compared with transformers, peft and torch':<66} {'max error':>10} {'allowed':>10}")

    @property
    def ok(self):
        return bool(self.rows) and all(row.ok for row in self.rows)

    def print_summary(self):
        failed = sum(not row.ok for row in self.rows)
        print(f"{len(self.rows)} comparisons, {failed} failed")

    def write(self, file):
        content = {"ok": self.ok, "rows": [dataclasses.asdict(row) | {"ok": row.ok} for row in self.rows]}
        pathlib.Path(file).write_text(json.dumps(content, indent=2) + "\n")
