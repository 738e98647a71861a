"""A stock Flower client on transformers and peft: NumPyClient, start_client. Trains a BERT with LoRA on a TSV file."""

import argparse
import csv
import pathlib

import flwr
import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from transformers import AutoModelForSequenceClassification, BertTokenizer


class Client(flwr.client.NumPyClient):
    def __init__(self, model: pathlib.Path, rows: list[tuple[str, int]], learning_rate: float):
        torch.manual_seed(1)
        self.tokenizer = BertTokenizer(str(model / "vocab.txt"))
        base = AutoModelForSequenceClassification.from_pretrained(model)
        self.net = get_peft_model(base, LoraConfig(task_type="SEQ_CLS", r=8, lora_alpha=16, lora_dropout=0.1))
        self.rows = rows
        self.learning_rate = learning_rate

    def get_parameters(self, config):
        return [value.numpy() for value in get_peft_model_state_dict(self.net).values()]

    def fit(self, parameters, config):
        names = get_peft_model_state_dict(self.net).keys()
        state = {name: torch.tensor(value) for name, value in zip(names, parameters, strict=True)}
        set_peft_model_state_dict(self.net, state)
        optimizer = torch.optim.AdamW(self.net.parameters(), lr=self.learning_rate, weight_decay=0.0)
        self.net.train()
        batches = [self.rows[i:i + 8] for i in range(0, len(self.rows), 8)]
        total = 0.0
        for batch in batches:
            encoded = self.tokenizer([text for text, _ in batch], padding=True, return_tensors="pt")
            loss = self.net(**encoded, labels=torch.tensor([label for _, label in batch])).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            total += loss.item()
        print(f"round {config['server_round']} as client {config['rank']}: loss {total / len(batches):.4f}", flush=True)
        return self.get_parameters({}), len(batches), {}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="TSV with the columns sentence and label")
    parser.add_argument("--learning-rate", type=float, default=5e-3)
    arguments = parser.parse_args()
    with arguments.data.open() as file:
        rows = [(row["sentence"], int(row["label"])) for row in csv.DictReader(file, delimiter="\t")]
    client = Client(arguments.model, rows, arguments.learning_rate)
    flwr.client.start_client(server_address=arguments.server, client=client.to_client(), insecure=True)


if __name__ == "__main__":
    main()
