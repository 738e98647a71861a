"""GLUE rows and the reference's shares, for the Python side of a comparison."""

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Row:
    sentence: str
    label: int


def read_rows(path: Path) -> list[Row]:
    """The rows of an SST-2 file (with header) or a CoLA file (four columns, none)."""
    with path.open(encoding="utf-8", newline="") as file:
        table = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    if table[0] == ["sentence", "label"]:
        return [Row(sentence, int(label)) for sentence, label in table[1:]]
    return [Row(sentence, int(label)) for _, label, _, sentence in table]


def percent_share(rows: list[Row], first: int, last: int) -> list[Row]:
    """Rows [first %, last %), rounded half to even as the datasets library does."""
    return rows[round(first * len(rows) / 100) : round(last * len(rows) / 100)]


def client_shares(rows: list[Row], clients: int, public_percent: int) -> list[list[Row]]:
    """What the reference gives to clients 1 .. N: equal per cents behind the public share."""
    rest = 100 - public_percent
    bounds = [public_percent + k * rest // clients for k in range(clients + 1)]
    return [percent_share(rows, bounds[k], bounds[k + 1]) for k in range(clients)]
