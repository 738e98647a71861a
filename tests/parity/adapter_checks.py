"""Adapters across the border, to the sentence: one trained by us scored in peft, one trained by peft scored by us."""

import csv
import json
import subprocess

import peft
import torch
import transformers

import byte_level
import reference

ROUNDS = 2
TRAINING_SENTENCES = 400
STEPS = 25
BATCH_SIZE = 16
LEARNING_RATE = 1e-3


def read_rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        quoting = csv.QUOTE_NONE if path.suffix == ".tsv" else csv.QUOTE_MINIMAL
        rows = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",", quoting=quoting)
        return [(row["sentence"], int(row["label"])) for row in rows]


class Data:
    """SST-2 where the GLUE folder is at hand, else the sentences that come with the project."""

    def __init__(self, glue, opinions):
        if glue:
            self.name, self.options = "SST-2", ["--data-path", str(glue), "--data-name", "sst2"]
            self.train, self.validation = (read_rows(glue / "SST-2" / name) for name in ("train.tsv", "dev.tsv"))
        else:
            self.name, self.options = "opinions", ["--data-path", str(opinions)]
            self.train, self.validation = (read_rows(next(opinions.glob(name))) for name in ("train.*", "validation.*"))


def scored_by_us(program, checkpoint, adapter, sentences):
    """Probabilities [sentences, classes] as `fedtune predict` gives them."""
    command = [program, "predict", "--client-ckpt", str(checkpoint), "--adapter", str(adapter), "--json"]
    done = subprocess.run(command, input="".join(s + "\n" for s in sentences), stdout=subprocess.PIPE, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["sentence"] for answer in answers] == sentences
    return torch.tensor([answer["probabilities"] for answer in answers])


def encode(tokenizer, sentences):
    return tokenizer(sentences, truncation=True, max_length=512, padding=True, return_tensors="pt")


def scored_by_peft(checkpoint, adapter, sentences):
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    model = reference.load_model(checkpoint, adapter)
    with torch.no_grad():
        batches = [encode(tokenizer, sentences[i:i + 32]) for i in range(0, len(sentences), 32)]
        return torch.cat([model(**batch).logits.softmax(-1) for batch in batches])


def train_with_fedtune(program, checkpoint, data, folder):
    command = [program, "run", "--scheme", "fedlora", "--client-ckpt", str(checkpoint), *data.options, "--num-clients", "2",
               "--num-rounds", str(ROUNDS), "--client-lr", str(LEARNING_RATE), "--max-train-sentences",
               str(TRAINING_SENTENCES), "--output", str(folder), "--name", "trained", "--progress", "none", "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / "trained" / "adapter"


def train_with_peft(checkpoint, data, folder):
    torch.manual_seed(11)
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(checkpoint)
    config = peft.LoraConfig(task_type="SEQ_CLS", r=8, lora_alpha=16, lora_dropout=0.1,
                             target_modules=reference.TARGETS[model.config.model_type])
    adapted = peft.get_peft_model(model, config).train()
    optimizer = torch.optim.AdamW([p for p in adapted.parameters() if p.requires_grad], lr=LEARNING_RATE)
    for step in range(STEPS):
        rows = data.train[step * BATCH_SIZE % TRAINING_SENTENCES:][:BATCH_SIZE]
        batch = encode(tokenizer, [sentence for sentence, _ in rows])
        loss = adapted(**batch, labels=torch.tensor([label for _, label in rows])).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    adapted.save_pretrained(folder)
    return folder


def random_roberta(folder, data):
    """A narrow RoBERTa with byte pairs learnt from the sentences."""
    tokenizer = byte_level.train([sentence for sentence, _ in data.train[:2000]])
    byte_level.write(folder, tokenizer, ("tokenizer.json",))
    config = transformers.RobertaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128,
        max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5)
    model = reference.random_model(config, torch.Generator().manual_seed(3))
    model.save_pretrained(folder)
    return folder


def run(options, folder, report):
    data = Data(options.glue, options.opinions)
    compare("MiniLM", options.build / "fedtune", options.minilm, data, folder / "minilm", report)
    roberta = random_roberta(folder / "roberta" / "model", data)
    compare("RoBERTa, random", options.build / "fedtune", roberta, data, folder / "roberta", report)


def compare(model, program, checkpoint, data, folder, report):
    sentences = [sentence for sentence, _ in data.validation]
    adapters = {
        "trained by us, scored in peft": train_with_fedtune(program, checkpoint, data, folder / "ours"),
        "trained by peft, scored by us": train_with_peft(checkpoint, data, folder / "theirs"),
    }
    for what, adapter in adapters.items():
        ours = scored_by_us(program, checkpoint, adapter, sentences)
        theirs = scored_by_peft(checkpoint, adapter, sentences)
        name = f"{model}, {data.name}, {len(sentences)} sentences, {what}"
        report.add(f"{name}: probabilities", (ours - theirs).abs().max(), 1e-4)
        report.add(f"{name}: labels that differ", (ours.argmax(-1) != theirs.argmax(-1)).sum(), 0)
