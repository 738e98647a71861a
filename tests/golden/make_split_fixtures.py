"""Writes tests/golden/percent_split.json: which rows the datasets library cuts out for the reference's percentages.

Needs datasets; run it again only when the expectations are to change.
"""

import json
import pathlib

import datasets
from datasets.arrow_reader import ReadInstruction

# rows of the training set, clients, per cent that the server keeps
CASES = [(8551, 4, 20), (8551, 8, 20), (8551, 3, 25), (8551, 80, 20), (8551, 7, 0), (67349, 4, 20), (67349, 16, 30), (67349, 100, 0),
         (2400, 4, 20), (150, 4, 1), (50, 9, 11), (10, 4, 15), (350, 5, 50), (1, 1, 0), (6000, 4, 0)]


def rows_of(begin, end, rows):
    (cut,) = ReadInstruction.from_spec(f"train[{begin}%:{end}%]").to_absolute({"train": rows})
    return [cut.from_, cut.to]


def main():
    cases = []
    for rows, clients, public in CASES:
        bounds = [public + k * (100 - public) // clients for k in range(clients + 1)]
        shares = [rows_of(a, b, rows) for a, b in zip(bounds, bounds[1:])]
        cases.append({"rows": rows, "clients": clients, "public_percent": public, "public": rows_of(0, public, rows), "shares": shares})
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path = pathlib.Path(__file__).resolve().parent / "percent_split.json"
    path.write_text(f'{{"made by": "make_split_fixtures.py", "datasets": "{datasets.__version__}", "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
