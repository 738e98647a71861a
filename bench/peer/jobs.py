"""The files that both sides of a comparison read: checkpoints with random weights, an adapter, lists of batches, jobs."""

import json
import random
import shutil
from pathlib import Path

from glue import read_rows

BATCH_SIZE = 32
# kind of work, data, rate; a whole random model is trained gently, or the two curves would part by chaos
STEP_ROWS = {
    "lora": {"kind": "lora", "data": "cola", "lr": 5e-4},
    "sst2": {"kind": "lora", "data": "sst2", "lr": 5e-4},
    "bf16": {"kind": "lora", "data": "cola", "lr": 5e-4, "dtype": "bf16"},
    "all": {"kind": "all", "data": "cola", "lr": 5e-5},
    "teacher": {"kind": "all", "data": "cola", "lr": 5e-5, "model": "bert"},
    "kd": {"kind": "kd", "data": "cola", "lr": 5e-5},
    "score": {"kind": "score", "data": "validation", "lr": 0.0},
}
FILES = {"cola": ("CoLA", "train.tsv"), "sst2": ("SST-2", "train.tsv"), "validation": ("CoLA", "dev.tsv")}


def random_model(config):
    import torch
    import transformers

    torch.manual_seed(0)
    model = transformers.AutoModelForSequenceClassification.from_config(config)
    for parameter in model.parameters():
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter, mean=parameter.detach().mean().item(), std=0.02)
    return model


def write_student(work: Path, vocabulary: Path) -> None:
    """A DistilBERT of the real sizes with its tokenizer, and an adapter whose B is not zero."""
    import torch
    import transformers
    from peft import LoraConfig, TaskType, get_peft_model

    model = random_model(transformers.DistilBertConfig(num_labels=2))
    model.save_pretrained(work / "distilbert")
    for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        if (vocabulary / name).exists():
            shutil.copyfile(vocabulary / name, work / "distilbert" / name)
    adapted = get_peft_model(model, LoraConfig(task_type=TaskType.SEQ_CLS, r=8, lora_alpha=16, lora_dropout=0.1,
                                               target_modules=["q_lin", "v_lin"]))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02)
    adapted.save_pretrained(work / "adapter")


def write_teacher(work: Path) -> None:
    import transformers

    random_model(transformers.BertConfig(num_labels=2)).save_pretrained(work / "bert")


def write_batches(path: Path, source: Path, vocabulary: Path, shuffled: bool) -> None:
    """The set once, shuffled where it is trained on, in batches."""
    from transformers import AutoTokenizer

    rows = read_rows(source)
    if shuffled:
        random.Random(0).shuffle(rows)
    tokenizer = AutoTokenizer.from_pretrained(vocabulary)
    ids = tokenizer([row.sentence for row in rows], truncation=True, max_length=512)["input_ids"]
    batches = [{"ids": ids[first : first + BATCH_SIZE],
                "labels": [row.label for row in rows[first : first + BATCH_SIZE]]}
               for first in range(0, len(rows) - BATCH_SIZE + 1, BATCH_SIZE)]
    path.write_text(json.dumps(batches))


def prepare_models(work: Path, vocabulary: Path, teacher: bool) -> None:
    if not (work / "adapter").exists():
        write_student(work, vocabulary)
    if teacher and not (work / "bert").exists():
        write_teacher(work)


def prepare_job(row: str, work: Path, glue: Path, vocabulary: Path) -> Path:
    """Writes what the row needs and is not there; returns its job."""
    settings = STEP_ROWS[row]
    prepare_models(work, vocabulary, teacher=row in ("teacher", "kd"))
    batches = work / f"{settings['data']}.json"
    if not batches.exists():
        folder, name = FILES[settings["data"]]
        write_batches(batches, glue / folder / name, vocabulary, shuffled=name == "train.tsv")
    job = work / f"job-{row}.json"
    job.write_text(json.dumps({"kind": settings["kind"], "lr": settings["lr"], "batches": str(batches),
                               "dtype": settings.get("dtype", "fp32"),
                               "model": str(work / settings.get("model", "distilbert")),
                               "adapter": str(work / "adapter"), "teacher": str(work / "bert")}))
    return job
