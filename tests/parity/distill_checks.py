"""One step of distillation, ours against its twin written with transformers, peft and torch: the loss and all gradients."""

import json
import subprocess

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import load_file

import reference
from model_checks import make_examples, relative_error

SENTENCES = 16
TEMPERATURE = 2.0
WIDTH = {"num_attention_heads": 4, "hidden_size": 128, "intermediate_size": 512}


def pull(form, towards, own):
    """What draws `own` to `towards`, which gets no gradient."""
    towards = towards.detach()
    if form == "reference":  # the reference's call, raw logits and all
        return F.kl_div(towards, own, reduction="batchmean", log_target=True)
    softened = [F.log_softmax(logits / TEMPERATURE, dim=-1) for logits in (own, towards)]
    return TEMPERATURE**2 * F.kl_div(*softened, reduction="batchmean", log_target=True)


def attention_gap(teacher, student, mask):
    """Mean squared difference over heads and real pairs of tokens, layers matched from the top, summed over them."""
    real = (mask[:, :, None] * mask[:, None, :])[:, None]  # [sentences, 1, longest, longest]
    stride = len(teacher) // len(student)
    gap = 0.0
    for from_top in range(len(student)):
        difference = student[-1 - from_top] - teacher[-1 - from_top * stride]
        gap = gap + (difference.square() * real).sum() / (real.sum() * difference.shape[1])
    return gap


def distillation_loss(form, teacher, student, batch):
    answers = [model(**batch, output_attentions=True) for model in (teacher, student)]
    (teacher_task, student_task), (teacher_logits, student_logits) = ([a[key] for a in answers] for key in ("loss", "logits"))
    gap = attention_gap(answers[0].attentions, answers[1].attentions, batch["attention_mask"])
    pulls = pull(form, teacher_logits, student_logits) + pull(form, student_logits, teacher_logits)
    doubt = teacher_task + student_task + 1
    shared = pulls / doubt.detach() + gap / (doubt if form == "reference" else doubt.detach())
    return teacher_task + student_task + shared


def expected_step(form, teacher, student, batch):
    loss = distillation_loss(form, teacher, student, batch)
    loss.backward()
    return loss.item(), {f"{role}.{reference.wire_name(name)}": parameter.grad
                         for role, model in (("teacher", teacher), ("student", student))
                         for name, parameter in model.named_parameters() if parameter.requires_grad}


def sharpened(model):
    """Attention far from uniform, as random weights alone do not make it: else its term would not count."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(("query.weight", "q_lin.weight", "key.weight", "k_lin.weight")):
                parameter.mul_(8)
    return model


class DistillChecks:
    def __init__(self, build, folder, report):
        self.probe = build / "tests" / "distill_probe"
        self.folder = folder / "distillation"
        self.report = report
        self.generator = torch.Generator().manual_seed(13)

    def save(self, name, model):
        model.save_pretrained(self.folder / name)
        return self.folder / name

    def adapter(self, student):
        folder = student.with_name(student.name + "-adapter")
        reference.random_adapter(student, folder, self.generator)
        return folder

    def compare(self, title, form, teacher, student, adapter, examples):
        output = self.folder / "probe.safetensors"
        job = {"teacher": str(teacher), "student": str(student), "adapter": str(adapter), "output": str(output),
               "form": form, "temperature": TEMPERATURE, "examples": examples}
        subprocess.run([self.probe], input=json.dumps(job), text=True, check=True)
        ours = load_file(output)
        loss, expected = expected_step(form, reference.load_model(teacher, attn_implementation="eager"),
                                       reference.load_model(student, adapter, trainable=True, attn_implementation="eager"),
                                       reference.collate(examples))
        self.report.add(f"{title}, {form}: loss, relative", abs(ours["loss"].item() / loss - 1), 1e-4)
        found = {key.removeprefix("gradient."): value for key, value in ours.items() if key.startswith("gradient.")}
        assert found.keys() == expected.keys(), sorted(found.keys() ^ expected.keys())
        worst = max(relative_error(name, found, expected) for name in expected)
        self.report.add(f"{title}, {form}: gradients of {len(expected)} tensors, relative", worst, 1e-4)


def run(build, minilm, folder, report):
    checks = DistillChecks(build, folder, report)
    bert = lambda layers, **shape: transformers.BertConfig(num_hidden_layers=layers, **shape)
    teacher = checks.save("teacher", sharpened(reference.random_model(bert(4, **WIDTH), checks.generator)))
    students = {
        "BERT to DistilBERT": transformers.DistilBertConfig(n_layers=2, n_heads=4, dim=128, hidden_dim=512),
        "BERT to BERT": bert(2, **WIDTH),
    }
    for number, (title, config) in enumerate(students.items()):
        student = checks.save(f"student-{number}", sharpened(reference.random_model(config, checks.generator)))
        adapter = checks.adapter(student)
        examples = make_examples(config, checks.generator)[:SENTENCES]
        for form in ("corrected", "reference"):
            checks.compare(title, form, teacher, student, adapter, examples)

    student = checks.save("minilm", reference.pretrained_model(minilm, checks.generator))
    shape = transformers.AutoConfig.from_pretrained(minilm)
    deep = bert(12, num_attention_heads=shape.num_attention_heads, hidden_size=96, intermediate_size=192,
                vocab_size=shape.vocab_size)
    teacher = checks.save("deep-teacher", sharpened(reference.random_model(deep, checks.generator)))
    adapter = checks.adapter(student)
    examples = make_examples(shape, checks.generator)[:SENTENCES]
    for form in ("corrected", "reference"):
        checks.compare("12-layer BERT to MiniLM", form, teacher, student, adapter, examples)
