"""FedLoRA on transformers, peft and Flower's aggregation: the stack that fedtune is compared with."""

import time
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import torch
from flwr.server.strategy.aggregate import aggregate
from peft import LoraConfig, TaskType, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from sklearn.metrics import matthews_corrcoef
from torch.utils.data import DataLoader
from transformers import AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding

from glue import Row


@dataclass
class Settings:
    model: str
    rounds: int = 5
    lr: float = 1e-3
    batch_size: int = 32
    lora_r: int = 8
    lora_alpha: int = 16
    lora_dropout: float = 0.1
    seed: int = 0


class Federation:
    def __init__(self, settings: Settings, shares: list[list[Row]], validation: list[Row]):
        self.settings = settings
        torch.manual_seed(settings.seed)
        tokenizer = AutoTokenizer.from_pretrained(settings.model)
        collate = DataCollatorWithPadding(tokenizer)

        def loader(rows: list[Row], shuffle: bool) -> DataLoader:
            encoded = [dict(tokenizer(row.sentence, truncation=True), labels=row.label) for row in rows]
            return DataLoader(encoded, batch_size=settings.batch_size, shuffle=shuffle, collate_fn=collate)

        self.train_loaders = [loader(share, shuffle=True) for share in shares]
        self.validation_loader = loader(validation, shuffle=False)
        base = AutoModelForSequenceClassification.from_pretrained(settings.model, num_labels=2)
        self.model = get_peft_model(base, LoraConfig(
            task_type=TaskType.SEQ_CLS, r=settings.lora_r, lora_alpha=settings.lora_alpha,
            lora_dropout=settings.lora_dropout, target_modules=["query", "value"]))
        self.names = list(get_peft_model_state_dict(self.model))

    def arrays(self) -> list[np.ndarray]:
        return [tensor.detach().numpy().copy() for tensor in get_peft_model_state_dict(self.model).values()]

    def load(self, arrays: list[np.ndarray]) -> None:
        tensors = OrderedDict((name, torch.from_numpy(array)) for name, array in zip(self.names, arrays, strict=True))
        set_peft_model_state_dict(self.model, tensors)

    def train_client(self, client: int) -> None:
        self.model.train()
        trained = [p for p in self.model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=self.settings.lr, eps=1e-6, weight_decay=0.0)
        for batch in self.train_loaders[client]:
            self.model(**batch).loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    @torch.inference_mode()
    def evaluate(self) -> dict:
        self.model.eval()
        total_loss, batch_means, predictions, labels = 0.0, 0.0, [], []
        for batch in self.validation_loader:
            output = self.model(**batch)
            count = len(batch["labels"])
            total_loss += output.loss.item() * count
            batch_means += output.loss.item()
            predictions += output.logits.argmax(-1).tolist()
            labels += batch["labels"].tolist()
        return {"loss": total_loss / len(labels), "reference_loss": batch_means / len(labels),
                "accuracy": float(np.mean(np.equal(predictions, labels))),
                "mcc": float(matthews_corrcoef(labels, predictions))}

    def run(self) -> list[dict]:
        """Scores of rounds 0 .. N."""
        current = self.arrays()
        metrics = [{"round": 0, **self.evaluate()}]
        for number in range(1, self.settings.rounds + 1):
            start = time.perf_counter()
            results = []
            for client, batches in enumerate(self.train_loaders):
                self.load(current)
                self.train_client(client)
                results.append((self.arrays(), len(batches)))
            current = aggregate(results)
            self.load(current)
            trained = time.perf_counter()
            metrics.append({"round": number, **self.evaluate(), "train_seconds": trained - start,
                            "evaluate_seconds": time.perf_counter() - trained})
            print(metrics[-1], flush=True)
        return metrics
