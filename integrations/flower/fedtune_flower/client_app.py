"""A node in Python, on transformers and peft, for those who want one beside native nodes (which need none of this).

Started by Flower's own supernode, with what is the node's own affair in --node-config: model="FOLDER" (a BERT in Hugging Face's
format) data="FOLDER" (train.tsv and validation.tsv with the columns sentence and label) rank=K learning-rate=5e-3.
"""

import csv
import json
import pathlib

from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

app = ClientApp()
BATCH = 32  # sentences


def rows_of(folder: str, name: str) -> list[tuple[str, int]]:
    with (pathlib.Path(folder) / name).open() as file:
        return [(row["sentence"], int(row["label"])) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def base_length(folder: pathlib.Path) -> int:
    """Tokens that the model has positions for."""
    return json.loads((folder / "config.json").read_text())["max_position_embeddings"]


class Node:
    """The model with the arrays of a message, and its sentences."""

    def __init__(self, message: Message, context: Context):
        from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
        from transformers import AutoModelForSequenceClassification, BertTokenizer

        self.config = context.node_config
        folder = pathlib.Path(self.config["model"])
        self.tokenizer = BertTokenizer(str(folder / "vocab.txt"), model_max_length=base_length(folder))
        base = AutoModelForSequenceClassification.from_pretrained(folder)
        self.net = get_peft_model(base, LoraConfig(task_type="SEQ_CLS", r=8, lora_alpha=16, lora_dropout=0.1))
        (arrays,) = message.content.array_records.values()
        set_peft_model_state_dict(self.net, arrays.to_torch_state_dict())

    def batches(self, rows):
        import torch

        for start in range(0, len(rows), BATCH):
            batch = rows[start:start + BATCH]
            encoded = self.tokenizer([text for text, _ in batch], padding=True, truncation=True, return_tensors="pt")
            yield encoded, torch.tensor([label for _, label in batch])


@app.train()
def train(message: Message, context: Context) -> Message:
    import torch
    from peft import get_peft_model_state_dict

    node = Node(message, context)
    optimizer = torch.optim.AdamW(node.net.parameters(), lr=float(node.config["learning-rate"]), weight_decay=0.0)
    node.net.train()
    losses = []
    for encoded, labels in node.batches(rows_of(node.config["data"], "train.tsv")):
        loss = node.net(**encoded, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    metrics = {"num-examples": len(losses), "rank": int(node.config["rank"]), "loss": sum(losses) / len(losses)}
    content = RecordDict({
        "arrays": ArrayRecord(get_peft_model_state_dict(node.net)), "metrics": MetricRecord(metrics)})
    return Message(content=content, reply_to=message)


@app.evaluate()
def evaluate(message: Message, context: Context) -> Message:
    import torch

    node = Node(message, context)
    node.net.eval()
    rows = rows_of(node.config["data"], "validation.tsv")
    loss, table = 0.0, torch.zeros(2, 2)
    with torch.no_grad():
        for encoded, labels in node.batches(rows):
            output = node.net(**encoded, labels=labels)
            loss += output.loss.item() * len(labels)
            for label, answer in zip(labels, output.logits.argmax(1)):
                table[label, answer] += 1
    spread = (table.sum(0).prod() * table.sum(1).prod()).sqrt().item()
    mcc = (table[0, 0] * table[1, 1] - table[0, 1] * table[1, 0]).item() / spread if spread > 0 else 0.0
    metrics = {"num-examples": len(rows), "loss": loss / len(rows), "accuracy": table.trace().item() / len(rows),
               "mcc": mcc}
    return Message(content=RecordDict({"metrics": MetricRecord(metrics)}), reply_to=message)
