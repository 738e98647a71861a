"""Byte-level BPE against the real tokenizers library: a vocabulary trained here, and what RoBERTa's class makes of its files.

The vocabulary is trained on the standard library's sources and on generated strings, so that it has merges across every
script; nothing of it is kept.
"""

import json
import pathlib
import random

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AddedToken, AutoTokenizer, RobertaTokenizerFast

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
VOCABULARY = 6000
LITERALS = [*SPECIAL, " <mask>", "\t <mask> ", "<mask><mask>", "<MASK>", "<s", "</s></s>", "x<pad>y", "[MASK]"]
CONTRACTIONS = ["don't", "I'm", "we'll", "they've", "he'd", "it's", "you're", "I'M", "'s", " 't", "''s", "'re'll", "’s", "o'clock", "'S", "s's's"]
RUNS = [" ", "  ", "   ", "\t", "\n", "\r\n", "\n\n ", " \n", "\u00a0", "\u3000 ", "\u2028", "\u1680x", "\x1c", "\u200b", "\u180e", "  \t a", "9 ", " 9", "1234567890" * 4,
        "½²³Ⅷ", "٣٤", "一二三", "a1b2", "_", "__x__", "a" * 300, "é" * 200, "\U0001F600" * 40, "ab" * 400, "-" * 77, "." * 30]


def corpus(texts):
    for path in sorted(pathlib.Path(json.__file__).parents[1].glob("*.py"))[:15]:
        yield path.read_text(encoding="utf-8")
    yield from texts


def train(texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=SPECIAL, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(corpus(texts), trainer)
    tokenizer.post_processor = processors.RobertaProcessing(sep=("</s>", tokenizer.token_to_id("</s>")), cls=("<s>", tokenizer.token_to_id("<s>")), add_prefix_space=False)
    return tokenizer


def write(folder, tokenizer, keep, settings=None, edit=None):
    """The tokenizer's files as RoBERTa's class saves them, those named in `keep` alone; edit(stored) changes tokenizer.json."""
    folder.mkdir(parents=True, exist_ok=True)
    everything = RobertaTokenizerFast(tokenizer_object=tokenizer, model_max_length=512)
    everything.save_pretrained(folder)
    tokenizer.model.save(str(folder))  # vocab.json and merges.txt
    for path in folder.iterdir():
        if path.name not in keep:
            path.unlink()
    config = {"tokenizer_class": "RobertaTokenizer", "model_max_length": 512} | (settings or {})
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    if edit:
        path = folder / "tokenizer.json"
        stored = json.loads(path.read_text())
        edit(stored)
        path.write_text(json.dumps(stored))
    return folder


def as_in_the_first_years(stored):
    """Merges as one text each, no type of the model."""
    stored["model"]["merges"] = [" ".join(merge) if isinstance(merge, list) else merge for merge in stored["model"]["merges"]]
    del stored["model"]["type"]


def without_bytes(stored):
    """Tokens of one byte that are part of no merge leave the vocabulary."""
    merged = {part for merge in stored["model"]["merges"] for part in (merge if isinstance(merge, list) else merge.split())}
    unused = [token for token in stored["model"]["vocab"] if len(token) == 1 and token not in merged]
    assert unused
    for token in unused:
        del stored["model"]["vocab"][token]


def with_unknown(stored):
    without_bytes(stored)
    stored["model"]["unk_token"] = "<unk>"


def with_added_tokens(folder, base):
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.add_tokens([AddedToken("Zürich", normalized=True), AddedToken("film", single_word=True), AddedToken("<v>", lstrip=True, rstrip=True)])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<ctx>"]})
    tokenizer.save_pretrained(folder)
    return folder


def characters(step=1, per_text=64):
    """Every character alone, in a word and behind a blank, some to a text."""
    codes = [c for c in range(0, 0x110000, step) if not 0xD800 <= c < 0xE000]
    for i in range(0, len(codes), per_text):
        yield "".join(f" a{chr(c)}b {chr(c)}1" for c in codes[i:i + per_text])


def hostile(strings, count, seed=99):
    rng = random.Random(seed)
    pieces = LITERALS + CONTRACTIONS + RUNS
    for i in range(count):
        parts = [rng.choice(pieces) if rng.random() < 0.7 else rng.choice(strings)[:20] for _ in range(rng.randrange(1, 9))]
        yield "".join(part + rng.choice(["", "", " ", "  "]) for part in parts)


def run(comparison, strings, root, sentences):
    """`sentences`: (name, texts) of real ones."""
    tokenizer = train(strings[:2000])
    json_only, plain = ("tokenizer.json",), ("vocab.json", "merges.txt")
    from_json = write(root / "json", tokenizer, json_only)
    from_plain = write(root / "plain", tokenizer, plain)
    everything = [*strings[:4000], *hostile(strings, 4000)]
    for name, texts in sentences:
        comparison.check(f"byte-level BPE, {name}", from_json, texts)
    comparison.check("byte-level BPE, generated strings", from_json, everything)
    comparison.check("byte-level BPE, generated strings, 16 tokens", from_json, everything, max_length=16)
    comparison.check("byte-level BPE, every character", from_json, characters())
    sample = [*everything[:800], *everything[-1200:], *characters(step=97)]
    comparison.check("byte-level BPE, from vocab.json and merges.txt", from_plain, sample)
    for what, keep, settings, edit in [
        ("a prefix space", json_only, {"add_prefix_space": True}, None),
        ("a prefix space, from vocab.json and merges.txt", plain, {"add_prefix_space": True}, None),
        ("tokenizer.json of the first years", json_only, None, as_in_the_first_years),
        ("bytes missing", json_only, None, without_bytes),
        ("bytes missing, <unk> for them", json_only, None, with_unknown),
    ]:
        folder = write(root / what.replace(" ", "-"), tokenizer, keep, settings, edit)
        comparison.check(f"byte-level BPE, {what}", folder, sample)
    rng = random.Random(6)
    pieces = ["Zürich", "zurich", "film", " film", "films", "<v>", " <v> ", "<ctx>", "<CTX>", "</s>", " <mask>", " ", "x"]
    texts = ["".join(rng.choice(pieces) for _ in range(rng.randrange(1, 9))) for _ in range(1000)]
    comparison.check("byte-level BPE, added tokens", with_added_tokens(root / "added", from_json), texts)
