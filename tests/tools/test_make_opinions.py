"""The demo's data set is what its generator writes, and its held-out half is of other words."""

import re

import make_opinions
import opinions_words
from make_opinions import ROOT


def rows(name: str) -> list[list[str]]:
    header, *lines = (ROOT / "examples" / "opinions" / name).read_text(encoding="utf-8").splitlines()
    assert header == "sentence\tlabel"
    return [line.split("\t") for line in lines]


def test_the_committed_files_are_the_generators():
    for name, content in make_opinions.files().items():
        assert (ROOT / "examples" / "opinions" / name).read_bytes() == content.encode()


def test_labels_are_even_and_sentences_differ():
    for name, size in (("train.tsv", 2400), ("validation.tsv", 600)):
        sentences, labels = zip(*rows(name))
        assert len(set(sentences)) == size and labels.count("1") == labels.count("0") == size // 2


def test_the_halves_share_no_adjective_no_noun_and_no_pattern():
    def vocabulary(half):
        adjectives = {word for table in (half.positive, half.negative) for words in table.values() for word in words}
        nouns = {thing.noun for domain in half.domains for thing in (domain.whole, *domain.parts)}
        return adjectives | nouns | {pattern.text for pattern in half.patterns}

    assert not vocabulary(opinions_words.TRAIN) & vocabulary(opinions_words.VALIDATION)


def test_no_single_word_tells_the_label():
    """A word that is common in one label is common in the other: counting words is not enough."""
    train = rows("train.tsv")
    weights = {}
    for sentence, label in train:
        for word in set(re.findall(r"[a-z'-]+", sentence.lower())):
            weights[word] = weights.get(word, 0) + (1 if label == "1" else -1)
    guessed = [sum(weights.get(word, 0) for word in set(re.findall(r"[a-z'-]+", sentence.lower()))) > 0
               for sentence, _ in rows("validation.tsv")]
    right = sum(guess == (label == "1") for guess, (_, label) in zip(guessed, rows("validation.tsv")))
    assert right / 600 < 0.6
