"""The files both sides of the step benchmark read: one checkpoint, one adapter, one list of batches."""

import json
import random
from pathlib import Path

import torch
from peft import LoraConfig, TaskType, get_peft_model
from transformers import AutoTokenizer, DistilBertConfig, DistilBertForSequenceClassification

from glue import read_rows


def write_model(folder: Path, seed: int) -> None:
    """A DistilBERT of the real sizes with random weights, and an adapter whose B is not zero."""
    torch.manual_seed(seed)
    model = DistilBertForSequenceClassification(DistilBertConfig(num_labels=2))
    for parameter in model.parameters():
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter, mean=parameter.detach().mean().item(), std=0.02)
    model.save_pretrained(folder / "model")
    adapted = get_peft_model(model, LoraConfig(task_type=TaskType.SEQ_CLS, r=8, lora_alpha=16, lora_dropout=0.1,
                                               target_modules=["q_lin", "v_lin"]))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02)
    adapted.save_pretrained(folder / "adapter")


def write_batches(path: Path, training_file: Path, vocabulary: Path, seed: int, batch_size: int = 32) -> None:
    """The training set once, shuffled, in batches."""
    rows = read_rows(training_file)
    random.Random(seed).shuffle(rows)
    tokenizer = AutoTokenizer.from_pretrained(vocabulary)
    ids = tokenizer([row.sentence for row in rows], truncation=True, max_length=512)["input_ids"]
    batches = [{"ids": ids[first : first + batch_size],
                "labels": [row.label for row in rows[first : first + batch_size]]}
               for first in range(0, len(rows) - batch_size + 1, batch_size)]
    path.write_text(json.dumps(batches))
