"""A client of the reference system's FedLoRA: transformers and peft in a process of its own, under Flower's server.

    round_client.py --server HOST:PORT --rank K --model DIR --data GLUE [--tuned]

As the reference runs it: as many threads as cores, every client scores the whole validation set. Tuned: one thread, fused
AdamW, sentences of like length together as transformers' `group_by_length` puts them, inference mode, and the first client
alone scores.
"""

import argparse
from collections import OrderedDict
from pathlib import Path

import flwr
import torch
from peft import LoraConfig, TaskType, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from torch.utils.data import DataLoader
from transformers import AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding
from transformers.trainer_pt_utils import LengthGroupedSampler

from glue import client_shares, read_rows

CLIENTS, PUBLIC_PERCENT = 4, 20


class Client(flwr.client.NumPyClient):
    def __init__(self, options: argparse.Namespace):
        self.tuned = options.tuned
        torch.manual_seed(options.rank)
        tokenizer = AutoTokenizer.from_pretrained(options.model)
        collate = DataCollatorWithPadding(tokenizer)
        rows = read_rows(options.data / "CoLA" / "train.tsv")[: options.rows]
        share = client_shares(rows, CLIENTS, PUBLIC_PERCENT)[options.rank - 1]

        def encoded(rows):
            # DistilBERT takes no token types, which a BERT's tokenizer would add.
            return [dict(tokenizer(row.sentence, truncation=True, return_token_type_ids=False), labels=row.label)
                    for row in rows]

        train, validation = encoded(share), encoded(read_rows(options.data / "CoLA" / "dev.tsv"))
        lengths = [len(e["input_ids"]) for e in train]
        order = {"sampler": LengthGroupedSampler(32, lengths=lengths)} if self.tuned else {"shuffle": True}
        self.train = DataLoader(train, batch_size=32, collate_fn=collate, **order)
        if self.tuned:
            validation.sort(key=lambda e: len(e["input_ids"]))
        self.validation = DataLoader(validation, batch_size=32, collate_fn=collate)
        base = AutoModelForSequenceClassification.from_pretrained(options.model, num_labels=2)
        self.net = get_peft_model(base, LoraConfig(task_type=TaskType.SEQ_CLS, r=8, lora_alpha=16, lora_dropout=0.1,
                                                   target_modules=["q_lin", "v_lin"]))

    def get_parameters(self, config):
        return [value.numpy() for value in get_peft_model_state_dict(self.net).values()]

    def set_parameters(self, arrays):
        names = get_peft_model_state_dict(self.net).keys()
        set_peft_model_state_dict(self.net, OrderedDict(
            (name, torch.tensor(value)) for name, value in zip(names, arrays, strict=True)))

    def fit(self, arrays, config):
        self.set_parameters(arrays)
        self.net.train()
        trained = [p for p in self.net.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=5e-4, eps=1e-6, weight_decay=0.0, fused=self.tuned or None)
        for batch in self.train:
            self.net(**batch).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        return self.get_parameters({}), len(self.train), {}

    def evaluate(self, arrays, config):
        self.set_parameters(arrays)
        self.net.eval()
        loss, right, count = 0.0, 0, 0
        with torch.inference_mode() if self.tuned else torch.no_grad():
            for batch in self.validation:
                output = self.net(**batch)
                loss += output.loss.item()
                right += (output.logits.argmax(-1) == batch["labels"]).sum().item()
                count += len(batch["labels"])
        return loss / count, count, {"accuracy": right / count}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=None)
    parser.add_argument("--tuned", action="store_true")
    options = parser.parse_args()
    if options.tuned:
        torch.set_num_threads(1)
    flwr.client.start_client(server_address=options.server, client=Client(options).to_client(), insecure=True)


if __name__ == "__main__":
    main()
