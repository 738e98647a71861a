"""Token ids against transformers' AutoTokenizer: every GLUE sentence, every character, thousands of nasty strings.

Runs with a Python that has transformers. Prints `ok <what> <count>` per comparison; exits 1 at the first difference.
"""

import argparse
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

import transformers
from transformers import AutoTokenizer

import byte_level

transformers.logging.set_verbosity_error()

SCRIPTS = [
    (0x20, 0x7F), (0xA0, 0x250), (0x250, 0x370), (0x370, 0x400), (0x400, 0x530), (0x590, 0x600), (0x600, 0x700),
    (0x900, 0xE00), (0xE00, 0x1000), (0x10A0, 0x1200), (0x1700, 0x1900), (0x1DC0, 0x2000), (0x2000, 0x2070),
    (0x2070, 0x2C00), (0x2E00, 0x3100), (0x3100, 0x3400), (0x3400, 0x4DC0), (0x4E00, 0xA000), (0xA640, 0xAB70),
    (0xAC00, 0xD7B0), (0xE000, 0xF900), (0xF900, 0x10000), (0x10000, 0x11000), (0x11000, 0x12000),
    (0x1D100, 0x1D800), (0x1E000, 0x1F000), (0x1F000, 0x1FB00), (0x20000, 0x20100), (0x2B900, 0x2BA00), (0x2F800, 0x2FA20),
    (0xE0000, 0xE01F0), (0x10FF00, 0x110000),
]
MARKS = [0x300, 0x301, 0x308, 0x323, 0x327, 0x334, 0x345, 0x5B0, 0x64B, 0x670, 0x93C, 0xE38, 0x1DC0, 0x1DF6, 0x1ABF, 0x8D3, 0x20D0,
         0x3099, 0xFE0F, 0x16FF0, 0x1E130, 0x1D167]
CONTROLS = [0, 1, 7, 8, 9, 0xA, 0xB, 0xC, 0xD, 0x1B, 0x7F, 0x85, 0xA0, 0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x2028, 0x2029, 0x202E,
            0x2060, 0x3000, 0xFEFF, 0xFFFD, 0xFFFE, 0xE001]
LITERALS = ["[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]", "[cls]", "[SEP", "[[SEP]]", "##ing", "[unused1]", "[MASK][MASK]"]
WORDS = ["film", "the", "Unbelievable", "naïve", "Straße", "İstanbul", "ΣΊΣΥΦΟΣ", "e\u0301te\u0301", "don't", "U.S.A.", "3.14159",
         "https://example.org/?q=1&r=%20", "日本語", "한국어", "ไทย", "हिन्दी", "עִבְרִית", "العربية", "\U0001F468\u200D\U0001F469\u200D\U0001F467",
         "\U0001F1E9\U0001F1EA", "ﬁancé", "Ǆ", "ẞ", "K", "Å", "a" * 100, "a" * 101, "é" * 99, "é" * 101, "字" * 60]


def character(rng):
    low, high = rng.choice(SCRIPTS)
    return chr(rng.randrange(low, high))


def nasty_piece(rng):
    kind = rng.randrange(9)
    if kind == 0:
        return "".join(character(rng) for _ in range(rng.randrange(1, 9)))
    if kind == 1:
        low, high = rng.choice(SCRIPTS)
        return "".join(chr(rng.randrange(low, high)) for _ in range(rng.randrange(1, 12)))
    if kind == 2:
        return rng.choice("aeiouyAEIOUсяא한") + "".join(chr(rng.choice(MARKS)) for _ in range(rng.randrange(1, 5)))
    if kind == 3:
        return chr(rng.choice(CONTROLS)) * rng.randrange(1, 3)
    if kind == 4:
        return rng.choice(LITERALS)
    if kind == 5:
        return "".join(rng.choice("!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~«»—…¿¡、。") for _ in range(rng.randrange(1, 10)))
    if kind == 6:
        return "".join(rng.choice("abcdefghijklmnopqrstuvwxyzABCDEFZ0123456789") for _ in range(rng.randrange(1, 130)))
    return rng.choice(WORDS)


def nasty_strings(count, seed=20240229):
    rng = random.Random(seed)
    strings = ["", " ", "\t\n", "\ufeff", "[SEP]"]
    while len(strings) < count:
        text = ""
        for _ in range(rng.randrange(1, 14)):
            text += nasty_piece(rng) + rng.choice(["", "", " ", "  "])
        strings.append("".join(c for c in text if not 0xD800 <= ord(c) < 0xE000))
    return strings


def every_character(step=1):
    for code in range(0, 0x110000, step):
        if not 0xD800 <= code < 0xE000:
            yield chr(code)
            yield "a" + chr(code) + "b"


def glue_sentences(path):
    lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    if path.parent.name == "CoLA":
        return [line.split("\t")[3] for line in lines]
    return [line.split("\t")[0] for line in lines[1:]]


class Comparison:
    def __init__(self, probe):
        self.probe = probe

    def ours(self, folder, texts, max_length):
        lines = "".join(json.dumps(text) + "\n" for text in texts)
        done = subprocess.run([self.probe, "ids", folder, str(max_length)], input=lines, stdout=subprocess.PIPE, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def check(self, what, folder, texts, max_length=512):
        texts = list(texts)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        theirs = tokenizer(texts, truncation=True, max_length=max_length)["input_ids"]
        for text, found, expected in zip(texts, self.ours(folder, texts, max_length), theirs, strict=True):
            if found != expected:
                print(f"DIFFERENT {what}: {text!r}\n  expected {expected}\n  found    {found}")
                sys.exit(1)
        print(f"ok {what} {len(texts)}", flush=True)


def variant(model, folder, settings, keep_json):
    """A copy of the model's tokenizer files with other settings."""
    folder.mkdir()
    for name in ["vocab.txt", "special_tokens_map.json", "config.json"] + (["tokenizer.json"] if keep_json else []):
        shutil.copyfile(model / name, folder / name)
    config = json.loads((model / "tokenizer_config.json").read_text())
    config.update(settings)
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def with_added_tokens(model, folder):
    """As the library saves a tokenizer that a user has added tokens to."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    added = transformers.AddedToken
    tokenizer.add_tokens([added("Zürich", normalized=True), added("film", single_word=True), added("<v>", lstrip=True, rstrip=True)])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<ctx>"]})
    tokenizer.save_pretrained(folder)
    return folder


VARIANTS = {
    "cased": {"do_lower_case": False},
    "cased, accents stripped": {"do_lower_case": False, "strip_accents": True},
    "uncased, accents kept": {"strip_accents": False},
    "ideographs not set off": {"tokenize_chinese_chars": False},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=pathlib.Path, help="the build folder")
    parser.add_argument("--model", required=True, type=pathlib.Path, help="a Hugging Face folder with a BERT tokenizer")
    parser.add_argument("--glue", type=pathlib.Path, help="a folder with CoLA/ and SST-2/")
    parser.add_argument("--strings", type=int, default=10000, help="generated strings (default 10000)")
    options = parser.parse_args()

    comparison = Comparison(options.build / "tests" / "tokenizer_probe")
    sentences = []
    if options.glue:
        sentences = [(f"{path.parent.name}/{path.name}", glue_sentences(path)) for path in sorted(options.glue.glob("*/*.tsv"))]
        for name, texts in sentences:
            comparison.check(name, options.model, texts)
        comparison.check("CoLA/dev.tsv, 8 tokens", options.model, glue_sentences(options.glue / "CoLA" / "dev.tsv"), max_length=8)
    strings = nasty_strings(options.strings)
    comparison.check("generated strings", options.model, strings)
    comparison.check("generated strings, 16 tokens", options.model, strings, max_length=16)
    comparison.check("every character, alone and in a word", options.model, every_character())
    with tempfile.TemporaryDirectory() as root:
        sample = strings[:3000] + list(every_character(step=7))
        for number, (what, settings) in enumerate(VARIANTS.items()):
            for keep_json in (True, False):
                folder = variant(options.model, pathlib.Path(root) / f"{number}-{keep_json}", settings, keep_json)
                comparison.check(f"{what}, from {'tokenizer.json' if keep_json else 'vocab.txt'}", folder, sample)
        added = with_added_tokens(options.model, pathlib.Path(root) / "added")
        pieces = ["Zürich", "zurich", "film", "films", "<v>", " <v> ", "<ctx>", "<CTX>", "[SEP]", " ", "x"]
        rng = random.Random(5)
        texts = ["".join(rng.choice(pieces) for _ in range(rng.randrange(1, 9))) for _ in range(3000)]
        comparison.check("added tokens", added, texts)
        byte_level.run(comparison, strings, pathlib.Path(root), sentences)


if __name__ == "__main__":
    main()
