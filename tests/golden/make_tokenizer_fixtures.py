"""Writes tests/golden/tokenizer: small vocabularies of our own, strings, and the ids that transformers gives them.

Needs transformers; run it again only when the expectations are to change. The unit tests read what it has written.
"""

import hashlib
import json
import pathlib
import random
import string
import sys

import tokenizers
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, BertTokenizerFast, RobertaTokenizerFast

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = HERE / "tokenizer"
SEED = 7
PAIRS = 110  # texts are put together
BYTE_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
BYTE_VOCABULARY = 420  # 256 bytes among them
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = """the a an of and but not was is it my our film meal train hotel phone book never quite hardly good bad slow warm cold
view journey ticket coffee window Film London Zürich naïve strasse straße istanbul ##s ##ed ##ing ##ly ##er ##est ##ful ##less
un ##believ ##able re ##mark 字 本 日 ##日 ні не ##ко""".split()

SENTENCES = [
    "The film was not good, but the view was warm.",
    "Unbelievable!! My coffee (cold) -- hardly a meal...",
    "  tabs\tand\nline ends\r\n and \u00a0 no-break \u3000 spaces  ",
    "naïve NAÏVE nai\u0308ve Zürich ZU\u0308RICH",
    "İstanbul ISTANBUL ıstanbul straße STRASSE",
    "日本の本 and 字字 beside한국어",
    "[CLS] the [MASK] film [SEP] [cls] [SEP",
    "zero\u200bwidth\u200djoiner\u00adsoft\ufeffmark\ufffdreplaced\u0000nul\u007fdel",
    "private\ue000use \U0010fffd and unassigned \u0378 \U000e0001tag",
    "emoji \U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f \U0001f1e9\U0001f1ea",
    "¿qué? «oui» “yes” — … 、。 ٪ ؟ ।",
    "$1,234.56 50% a+b=c x^2 <tag> `code` ~ |",
    "a" * 100, "a" * 101, "é" * 100, "é" * 101, "字" * 101, "",
    "q\u0307\u0323 q\u0323\u0307 \u1100\u1161\u11a8 각 \u212b \u2126 \ufb01",
    "I'm sure they've said it's 'fine', we'll see; DON'T  shout  or 's he'd",
    "<s> a <mask> film </s> \t<mask><mask> <MASK> <s", "runs   of\n\n \t blanks\u3000\u3000x  ", "12345 ½²³ ٣٤ a1b2 3.14",
    "older marks a\u1734b a\u1885b a\ua9bdb a\U000111c9b, newer a\u08d3b a\U0001e130b a\U00010d50b",
]


def generated(count):
    """Random strings over letters, marks, scripts, controls and literal special tokens."""
    rng = random.Random(SEED)
    alphabet = string.ascii_letters + "  ,.!?'-" + "éüñÅßøİıΣσςжЖйאבשءआก한字本日かナ" + "\u0301\u0323\u0308\u200d\u00ad\u0085\ue001\U0001f600"
    pieces = list(alphabet) + SPECIAL + WORDS
    return ["".join(rng.choice(pieces) for _ in range(rng.randrange(1, 20))) for _ in range(count)]


def vocabulary(texts):
    """Special tokens, words, ASCII, and the other characters of the texts in the forms that the two variants meet."""
    forms = "".join(texts) + "".join(normalizers.BertNormalizer(lowercase=lower).normalize_str(t) for t in texts for lower in (True, False))
    characters = sorted(set(forms + string.printable) - set(string.whitespace) - {"\0", "\x7f"})
    known = [c for c in characters if c.isascii() or ord(c) % 5]  # some stay unknown
    return list(dict.fromkeys(SPECIAL + WORDS + known + ["##" + c for c in known if c.isalnum()]))


def write_uncased(folder, tokens):
    """tokenizer.json, with truncation and padding in it that must be ignored."""
    ids = {token: i for i, token in enumerate(tokens)}
    fast = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    fast.normalizer = normalizers.BertNormalizer()
    fast.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    fast.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[(t, ids[t]) for t in ("[CLS]", "[SEP]")])
    BertTokenizerFast(tokenizer_object=fast, model_max_length=64).save_pretrained(folder)
    path = folder / "tokenizer.json"
    stored = json.loads(path.read_text())
    stored["truncation"] = {"direction": "Right", "max_length": 6, "strategy": "LongestFirst", "stride": 0}
    stored["padding"] = {"strategy": {"Fixed": 6}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}
    path.write_text(json.dumps(stored, ensure_ascii=False) + "\n")
    (folder / "vocab.txt").unlink(missing_ok=True)


def write_cased(folder, tokens):
    """vocab.txt with a tokenizer_config.json and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("".join(t + "\n" for t in tokens))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer", "do_lower_case": False}) + "\n")


def write_bytes(folder, texts):
    """tokenizer.json of a byte-level BPE trained on the words."""
    fast = Tokenizer(models.BPE())
    fast.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=BYTE_VOCABULARY, special_tokens=BYTE_SPECIAL, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    fast.train_from_iterator([" ".join(WORDS), *texts], trainer)
    fast.post_processor = processors.RobertaProcessing(sep=("</s>", fast.token_to_id("</s>")), cls=("<s>", fast.token_to_id("<s>")), add_prefix_space=False)
    RobertaTokenizerFast(tokenizer_object=fast, model_max_length=64).save_pretrained(folder)
    for path in folder.iterdir():
        if path.name not in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
            path.unlink()
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()), ensure_ascii=False) + "\n")


def pair_case(i, texts, tokenizers_by_name):
    """Two texts of often different lengths, cut to lengths from the special tokens alone to more than enough."""
    first, second = texts[i % len(texts)], texts[(7 * i + 3) % len(texts)]
    case = {"first": first, "second": second, "max_length": [4, 4, 5, 6, 7, 8, 11, 16, 17, 24, 64][i % 11]}
    for name, tokenizer in tokenizers_by_name.items():
        # In a batch, as data sets are mapped: alone, an empty second text would be taken for none.
        encoded = tokenizer([first], [second], truncation=True, max_length=case["max_length"])
        ids = encoded["input_ids"][0]
        case[name] = {"ids": ids, "types": encoded.get("token_type_ids", [[0] * len(ids)])[0]}
    return case


def main():
    texts = SENTENCES + generated(150)
    tokens = vocabulary(texts)
    write_uncased(FOLDER / "uncased", tokens)
    write_cased(FOLDER / "cased", tokens)
    write_bytes(FOLDER / "bytes", texts)
    tokenizers_by_name = {name: AutoTokenizer.from_pretrained(FOLDER / name) for name in ("uncased", "cased", "bytes")}
    encode = lambda tokenizer, text: tokenizer(text, truncation=True, max_length=48)["input_ids"]
    cases = [{"text": t} | {name: encode(tokenizer, t) for name, tokenizer in tokenizers_by_name.items()} for t in texts]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (FOLDER / "expected.json").write_text(f'{{"max_length": 48, "cases": [\n{lines}\n]}}\n')
    lines = ",\n".join(json.dumps(pair_case(i, texts, tokenizers_by_name), separators=(",", ":")) for i in range(PAIRS))
    (FOLDER / "pairs.json").write_text(f'{{"cases": [\n{lines}\n]}}\n')
    files = sorted(p for p in FOLDER.rglob("*") if p.is_file() and p.name != "manifest.json")
    manifest = {
        "made by": pathlib.Path(__file__).name,
        "seed": SEED,
        "versions": {"python": sys.version.split()[0], "tokenizers": tokenizers.__version__, "transformers": transformers.__version__},
        "tolerance": "exact",
        "sha256": {str(p.relative_to(FOLDER)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files},
    }
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
