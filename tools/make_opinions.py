#!/usr/bin/env python3
"""Writes the opinions data set: train.tsv and validation.tsv, the same bytes on every run.

    tools/make_opinions.py [--output examples/opinions]

A sentence is a pattern filled with things and adjectives (tools/opinions_words.py). Each pattern is used equally often
for both labels wherever it suits both, so that no word by itself tells the label.
"""

import argparse
import pathlib
import random
from types import SimpleNamespace

from opinions_words import TRAIN, VALIDATION

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZES = {"train": 2400, "validation": 600}
# How often each kind of pattern is used.
SHARES = {"plain": 0.16, "negation": 0.26, "contrast": 0.22, "degree": 0.12, "aside": 0.12, "expectation": 0.06, "condition": 0.06}


class Dice:
    """Random choices from random() alone, whose sequence every version of Python keeps."""

    def __init__(self, seed):
        self.source = random.Random(seed)

    def chance(self, probability):
        return self.source.random() < probability

    def choice(self, options):
        return options[int(self.source.random() * len(options))]

    def shuffle(self, items):
        for last in range(len(items) - 1, 0, -1):
            other = int(self.source.random() * (last + 1))
            items[last], items[other] = items[other], items[last]


def with_article(adjective, plural):
    if plural:
        return adjective
    return ("an " if adjective[0] in "aeiou" else "a ") + adjective


def forms(thing):
    """What a pattern may ask of a thing."""
    return SimpleNamespace(noun=thing.noun, the="the " + thing.noun, was="were" if thing.plural else "was")


def adjective(dice, half, thing, polarity):
    table = half.positive if polarity else half.negative
    return dice.choice(table["any"] if dice.chance(0.35) else table[thing.kind])


def fill(dice, half, pattern, label):
    domain = dice.choice(half.domains)
    x = domain.whole if pattern.whole or dice.chance(0.3) else dice.choice(domain.parts)
    y = dice.choice([part for part in domain.parts if part != x])
    same, opp = adjective(dice, half, x, label), adjective(dice, half, x, 1 - label)
    ysame, yopp = adjective(dice, half, y, label), adjective(dice, half, y, 1 - label)
    text = pattern.text.format(X=forms(x), Y=forms(y), same=same, opp=opp, ysame=ysame, yopp=yopp,
                               a_same=with_article(same, x.plural), a_opp=with_article(opp, x.plural),
                               a_yopp=with_article(yopp, y.plural))
    if dice.chance(0.2):
        return dice.choice(half.openings) + text
    return text[0].upper() + text[1:]


def sentences_of(dice, half, patterns, count, taken):
    """`count` new sentences, the labels taking turns."""
    rows = []
    while len(rows) < count:
        label = len(rows) % 2
        pattern = dice.choice([p for p in patterns if label in p.labels])
        text = fill(dice, half, pattern, label)
        if text not in taken:
            taken.add(text)
            rows.append((text, label))
    return rows


def make(half, size, seed):
    """(sentence, label) rows of one half: kinds of pattern by SHARES, in random order."""
    dice = Dice(seed)
    rows, taken = [], set()
    for number, (kind, share) in enumerate(SHARES.items()):
        last = number == len(SHARES) - 1
        count = size - len(rows) if last else int(share * size / 2 + 0.5) * 2
        rows += sentences_of(dice, half, [p for p in half.patterns if p.kind == kind], count, taken)
    dice.shuffle(rows)
    return rows


def table(rows):
    return "sentence\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows)


def files():
    """File name -> content."""
    return {"train.tsv": table(make(TRAIN, SIZES["train"], seed=1)),
            "validation.tsv": table(make(VALIDATION, SIZES["validation"], seed=2))}


def main():
    default = ROOT / "examples" / "opinions"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, default=default, help="folder to write to (default examples/opinions)")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (folder / name).write_text(content, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
