"""The Python side of the step benchmark: transformers and peft, one client, driven line by line as ../step_bench.cpp is.

    step_peer.py FOLDER THREADS [fused]
"""

import json
import sys
import time
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForSequenceClassification

LEARNING_RATE = 5e-4


def padded(batch: dict) -> dict:
    longest = max(len(ids) for ids in batch["ids"])
    return {"input_ids": torch.tensor([ids + [0] * (longest - len(ids)) for ids in batch["ids"]]),
            "attention_mask": torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in batch["ids"]]),
            "labels": torch.tensor(batch["labels"])}


class Client:
    def __init__(self, folder: Path, fused: bool):
        base = AutoModelForSequenceClassification.from_pretrained(folder / "model")
        self.model = PeftModel.from_pretrained(base, folder / "adapter", is_trainable=True)
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=LEARNING_RATE, eps=1e-6, weight_decay=0.0, fused=fused or None)

    def step(self, batch: dict) -> torch.Tensor:
        loss = self.model(**padded(batch)).loss
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.detach()


class Peer:
    def __init__(self, folder: Path, fused: bool):
        self.folder, self.fused = folder, fused
        self.batches = json.loads((folder / "batches.json").read_text())
        self.client = Client(folder, fused)
        self.client.model.train()

    def logits(self) -> list[float]:
        client = Client(self.folder, self.fused)
        client.model.eval()
        with torch.inference_mode():
            return client.model(**padded(self.batches[0])).logits.flatten().tolist()

    def curve(self, steps: int) -> list[float]:
        client = Client(self.folder, self.fused)
        client.model.eval()  # no dropout
        return [client.step(self.batches[step % len(self.batches)]).item() for step in range(steps)]

    def run(self, first: int, count: int) -> dict:
        batches = [self.batches[i % len(self.batches)] for i in range(first, first + count)]
        start = time.perf_counter()
        for batch in batches:
            self.client.step(batch)
        return {"seconds": time.perf_counter() - start, "sentences": sum(len(b["ids"]) for b in batches),
                "tokens": sum(len(ids) for b in batches for ids in b["ids"])}


def main() -> None:
    torch.set_num_threads(int(sys.argv[2]))
    peer = Peer(Path(sys.argv[1]), fused="fused" in sys.argv[3:])
    for line in sys.stdin:
        command, *numbers = line.split()
        print(json.dumps(getattr(peer, command)(*map(int, numbers))), flush=True)


if __name__ == "__main__":
    main()
