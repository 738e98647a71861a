"""Makes the committed model and adapter fixtures with the reference libraries.

    .venv-peer/bin/python tests/golden/make_fixtures.py

Three random models (BERT, DistilBERT and RoBERTa, 2 layers, 32 wide) with perturbed biases and layer norms, an adapter made by peft
for each, and what transformers, peft and torch compute with them: logits, gradients, loss curves. All from one seed.
Models are stored in half precision, exactly: both sides compute in fp32 from the same numbers.
"""

import hashlib
import json
import pathlib
import platform
import shutil

import peft
import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

SEED = 20240611
FOLDER = pathlib.Path(__file__).resolve().parent
TOLERANCE = {"logits": 1e-4, "gradients": 1e-4, "loss_curve": 1e-4}
STEPS = 20
BATCH_SIZE = 8
SAMPLES = 64  # entries kept of each all-parameter gradient

WORDS = "the is was not very good bad film story actor plot it this and but never great dull fine".split()
LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *("##" + c for c in LETTERS), *".,!?'", *WORDS]
BYTE_SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
BYTE_VOCABULARY = 310  # 5 special tokens, 256 bytes, and merges
CLS, SEP, FIRST_WORD = 2, 3, 5
POSITIONS = 24

CONFIGS = {
    "bert": transformers.BertConfig(
        vocab_size=len(VOCABULARY), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=40,
        max_position_embeddings=POSITIONS, type_vocab_size=2),
    "distilbert": transformers.DistilBertConfig(
        vocab_size=len(VOCABULARY), dim=32, n_layers=2, n_heads=4, hidden_dim=40, max_position_embeddings=POSITIONS),
    "roberta": transformers.RobertaConfig(
        vocab_size=BYTE_VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=40,
        max_position_embeddings=POSITIONS + 2, type_vocab_size=1, layer_norm_eps=1e-5),
}
TARGETS = {"bert": ["query", "value"], "distilbert": ["q_lin", "v_lin"], "roberta": ["query", "value"]}
STORED_AS = {"bert": torch.float16, "distilbert": torch.bfloat16, "roberta": torch.float16}


def make_sentences(generator):
    """Token ids, token types and labels of sentences of 3 to POSITIONS ids; every third is a pair."""
    sentences = []
    for i in range(3 * BATCH_SIZE):
        length = POSITIONS if i == 0 else int(torch.randint(3, POSITIONS, (1,), generator=generator))
        words = torch.randint(FIRST_WORD, len(VOCABULARY), (length - 2,), generator=generator).tolist()
        second = length // 2 if i % 3 == 0 else length
        sentences.append({
            "ids": [CLS, *words, SEP],
            "type_ids": [int(position >= second) for position in range(length)],
            "label": int(torch.randint(2, (1,), generator=generator)),
        })
    return sentences


def perturb(model, generator, dtype):
    """Random weights far enough from 0 that no term of the arithmetic vanishes, exact in `dtype`."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if "LayerNorm.weight" in name or "layer_norm.weight" in name:
                value = 1 + 0.1 * noise
            elif "embeddings" in name and name.endswith("weight"):
                value = 0.5 * noise
            else:
                value = (0.2 if name.endswith("weight") else 0.1) * noise
            parameter.copy_(value.to(dtype).float())


def collate(sentences, kind):
    longest = max(len(s["ids"]) for s in sentences)
    pad = lambda row, value=0: row + [value] * (longest - len(row))
    batch = {
        "input_ids": torch.tensor([pad(s["ids"], CONFIGS[kind].pad_token_id) for s in sentences]),
        "attention_mask": torch.tensor([pad([1] * len(s["ids"])) for s in sentences]),
        "labels": torch.tensor([s["label"] for s in sentences]),
    }
    if kind == "bert":
        batch["token_type_ids"] = torch.tensor([pad(s["type_ids"]) for s in sentences])
    return batch


def logits_of(model, batch):
    with torch.no_grad():
        return model(**batch).logits


def gradients_of(model, batch):
    model.zero_grad()
    model(**batch).loss.backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.requires_grad}


def loss_curve(model, batches, lr):
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=lr, eps=1e-6, weight_decay=0.0)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = model(**batches[step % len(batches)]).loss
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses)


def sampled(gradient):
    """Evenly spread entries, in row-major order: flat[i * count // kept]."""
    flat = gradient.flatten()
    kept = min(SAMPLES, flat.numel())
    return flat[torch.arange(kept) * flat.numel() // kept].clone()


def wire_name(name):
    return name.replace(".default", "").replace(".modules_to_save", "")


def write_words(folder):
    """BERT's vocabulary file."""
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    tokenizer = {"do_lower_case": True, "model_max_length": POSITIONS, "tokenizer_class": "BertTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer, indent=2) + "\n")


def write_byte_pairs(folder):
    """RoBERTa's: every byte, and merges for the words."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=BYTE_VOCABULARY, special_tokens=BYTE_SPECIALS, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([" ".join(WORDS)] * 3, trainer)
    assert tokenizer.get_vocab_size() == BYTE_VOCABULARY
    tokenizer.model.save(str(folder))
    settings = {"add_prefix_space": True, "model_max_length": POSITIONS, "tokenizer_class": "RobertaTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def make_model(kind, sentences, generator):
    folder = FOLDER / kind
    shutil.rmtree(folder, ignore_errors=True)
    model_class = transformers.AutoModelForSequenceClassification
    model = model_class.from_config(CONFIGS[kind]).eval()
    perturb(model, generator, STORED_AS[kind])
    model.to(STORED_AS[kind]).save_pretrained(folder)
    (write_byte_pairs if kind == "roberta" else write_words)(folder)

    batches = [collate(sentences[i:i + BATCH_SIZE], kind) for i in range(0, len(sentences), BATCH_SIZE)]
    everything = collate(sentences, kind)
    fresh = lambda: model_class.from_pretrained(folder, dtype=torch.float32).eval()
    expected = {"logits": logits_of(fresh(), everything), "loss_curve": loss_curve(fresh(), batches, 1e-3)}
    for name, gradient in gradients_of(fresh(), batches[0]).items():
        expected["gradient." + name] = sampled(gradient)
        expected["gradient_norm." + name] = gradient.norm()
    expected |= make_adapter(kind, folder, fresh(), batches, everything, generator)
    save_file(expected, folder / "expected.safetensors")


def make_adapter(kind, folder, model, batches, everything, generator):
    config = peft.LoraConfig(task_type="SEQ_CLS", r=4, lora_alpha=16, lora_dropout=0.1, target_modules=TARGETS[kind])
    adapted = peft.get_peft_model(model, config).eval()
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    adapted.save_pretrained(folder / "adapter")
    (folder / "adapter" / "README.md").unlink(missing_ok=True)
    settings = folder / "adapter" / "adapter_config.json"
    stored = json.loads(settings.read_text()) | {"base_model_name_or_path": kind}
    settings.write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n")

    expected = {"lora.logits": logits_of(adapted, everything)}
    for name, gradient in gradients_of(adapted, batches[0]).items():
        expected["lora.gradient." + wire_name(name)] = gradient
    expected["lora.loss_curve"] = loss_curve(adapted, batches, 5e-3)
    return expected


def write_manifest(files):
    manifest = {
        "made_by": "tests/golden/make_fixtures.py",
        "seed": SEED,
        "versions": {"python": platform.python_version(), "torch": torch.__version__,
                     "transformers": transformers.__version__, "peft": peft.__version__},
        "tolerance": TOLERANCE,
        "sha256": {str(f.relative_to(FOLDER)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files},
    }
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def main():
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(SEED)
    torch.manual_seed(SEED)
    sentences = make_sentences(generator)
    content = {"batch_size": BATCH_SIZE, "sentences": sentences}
    (FOLDER / "sentences.json").write_text(json.dumps(content) + "\n")
    for kind in CONFIGS:
        make_model(kind, sentences, generator)
    files = sorted(f for kind in CONFIGS for f in (FOLDER / kind).rglob("*") if f.is_file())
    write_manifest([FOLDER / "sentences.json", *files])
    print(f"{sum(f.stat().st_size for f in files)} bytes in {len(files)} files")


if __name__ == "__main__":
    main()
