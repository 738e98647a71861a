"""The program under test and what it is tested on: tiny models and a small data set of our own."""

import pathlib
import random
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
MODEL_TYPES = ["bert", "distilbert", "roberta"]
# A teacher and a student whose tokenizers give the same ids.
SAME_TOKENS = [("bert", "bert"), ("bert", "distilbert"), ("distilbert", "bert"), ("distilbert", "distilbert"), ("roberta", "roberta")]
TOKENIZER_FILES = {"bert": {"vocab.txt"}, "distilbert": {"vocab.txt"}, "roberta": {"vocab.json", "merges.txt"}}


class Program:
    """Runs fedtune and checks how it ended."""

    def __init__(self, path: pathlib.Path):
        self.path = path

    def run(self, *arguments, code=0, timeout=120, **options) -> subprocess.CompletedProcess:
        command = [str(self.path), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, **options)
        assert done.returncode == code, f"{command}\nexit code {done.returncode}, expected {code}\n{done.stderr}"
        return done

    def error(self, *arguments, code, **options) -> str:
        """The one line that a failing command prints."""
        stderr = self.run(*arguments, code=code, **options).stderr
        lines = [line for line in stderr.splitlines() if line.startswith("fedtune: error: ")]
        assert len(lines) == 1 and stderr.splitlines()[-1] == lines[0], stderr
        return lines[0]

    def start(self, *arguments, **options) -> subprocess.Popen:
        command = [str(self.path), *map(str, arguments)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def sentences(count: int, seed: int) -> list[tuple[str, int]]:
    """Opinions whose label is the last word's."""
    chance = random.Random(seed)
    rows = []
    for _ in range(count):
        label = chance.randrange(2)
        last = chance.choice(["good", "great", "fine"] if label else ["bad", "dull", "not good"])
        rows.append((f"{chance.choice(['the', 'this'])} {chance.choice(['film', 'plot', 'actor'])} is {last}", label))
    return rows


def write_tsv(path: pathlib.Path, rows: list[tuple[str, int]]) -> None:
    path.write_text("sentence\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows))


def write_dataset(folder: pathlib.Path, train: int, validation: int) -> pathlib.Path:
    folder.mkdir(parents=True)
    write_tsv(folder / "train.tsv", sentences(train, seed=1))
    write_tsv(folder / "validation.tsv", sentences(validation, seed=2))
    return folder
