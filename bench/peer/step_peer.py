"""The Python side of a step: transformers and peft, driven line by line as ../step_bench.cpp is.

    step_peer.py JOB THREADS [fused] [bf16]

fused: AdamW in one pass, and scoring in inference mode instead of no_grad. bf16: under autocast.
"""

import contextlib
import json
import sys
import time
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForSequenceClassification

sys.path.append(str(Path(__file__).resolve().parents[2] / "tests" / "parity"))


def padded(batch: dict) -> dict:
    longest = max(len(ids) for ids in batch["ids"])
    return {"input_ids": torch.tensor([ids + [0] * (longest - len(ids)) for ids in batch["ids"]]),
            "attention_mask": torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in batch["ids"]]),
            "labels": torch.tensor(batch["labels"])}


class Subject:
    """One model, or teacher and student, and what is done with a batch."""

    def __init__(self, job: dict, fused: bool):
        self.kind, self.fused = job["kind"], fused
        # Attention probabilities come out of the eager form alone.
        options = {"attn_implementation": "eager"} if self.kind == "kd" else {}
        self.model = AutoModelForSequenceClassification.from_pretrained(job["model"], **options)
        if self.kind != "all":
            self.model = PeftModel.from_pretrained(self.model, job["adapter"], is_trainable=True)
        self.models = [self.model]
        if self.kind == "kd":
            self.models.append(AutoModelForSequenceClassification.from_pretrained(job["teacher"], **options))
        trained = [p for model in self.models for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=job["lr"], eps=1e-6, weight_decay=0.0, fused=fused or None)

    def dropout(self, on: bool) -> None:
        for model in self.models:
            model.train(on and self.kind != "score")

    def loss(self, batch: dict) -> torch.Tensor:
        if self.kind == "kd":
            from distill_checks import distillation_loss

            return distillation_loss("corrected", self.models[1], self.model, batch)
        return self.model(**batch).loss

    def step(self, batch: dict) -> torch.Tensor:
        if self.kind == "score":
            with torch.inference_mode() if self.fused else torch.no_grad():
                return self.model(**padded(batch)).logits
        loss = self.loss(padded(batch))
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.detach()


class Peer:
    def __init__(self, job: dict, fused: bool, bf16: bool):
        self.job, self.fused = job, fused
        self.batches = json.loads(Path(job["batches"]).read_text())
        self.autocast = torch.autocast("cpu", torch.bfloat16) if bf16 else contextlib.nullcontext()
        self.subject = Subject(job, fused)
        self.subject.dropout(True)

    def logits(self) -> list[float]:
        subject = Subject(self.job, self.fused)
        subject.dropout(False)
        with torch.inference_mode():
            return subject.model(**padded(self.batches[0])).logits.flatten().tolist()

    def curve(self, steps: int) -> list[float]:
        if self.job["kind"] == "score":
            return []
        subject = Subject(self.job, self.fused)
        subject.dropout(False)
        return [subject.step(self.batches[step % len(self.batches)]).item() for step in range(steps)]

    def run(self, first: int, count: int) -> dict:
        batches = [self.batches[i % len(self.batches)] for i in range(first, first + count)]
        start = time.perf_counter()
        with self.autocast:
            for batch in batches:
                self.subject.step(batch)
        return {"seconds": time.perf_counter() - start, "sentences": sum(len(b["ids"]) for b in batches),
                "tokens": sum(len(ids) for b in batches for ids in b["ids"])}


def main() -> None:
    torch.set_num_threads(int(sys.argv[2]))
    peer = Peer(json.loads(Path(sys.argv[1]).read_text()), fused="fused" in sys.argv[3:], bf16="bf16" in sys.argv[3:])
    for line in sys.stdin:
        command, *numbers = line.split()
        print(json.dumps(getattr(peer, command)(*map(int, numbers))), flush=True)


if __name__ == "__main__":
    main()
