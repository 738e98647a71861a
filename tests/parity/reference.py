"""What transformers, peft and torch compute: models, batches, gradients, loss curves."""

import peft
import torch
import transformers

transformers.logging.set_verbosity_error()

TARGETS = {"bert": ["query", "value"], "distilbert": ["q_lin", "v_lin"], "roberta": ["query", "value"]}


def perturb(model, generator, scale=0.02):
    """Biases and layer norms away from 0 and 1, so that no term of the arithmetic vanishes."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.add_(scale * torch.randn(parameter.shape, generator=generator))


def random_model(config, generator):
    torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
    model = transformers.AutoModelForSequenceClassification.from_config(config)
    perturb(model, generator)
    return model


def pretrained_model(folder, generator):
    """A published encoder with a head of its own drawn here."""
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.no_grad():
        model.classifier.weight.copy_(0.1 * torch.randn(model.classifier.weight.shape, generator=generator))
    perturb(model, generator)
    return model


def load_model(checkpoint, adapter=None, trainable=False, **options):
    model = transformers.AutoModelForSequenceClassification.from_pretrained(checkpoint, **options)
    if adapter:
        model = peft.PeftModel.from_pretrained(model, adapter, is_trainable=trainable)
    return model.eval()  # no dropout, in training either


def random_adapter(checkpoint, folder, generator, **options):
    """An adapter made by peft whose every tensor is away from its start: a B of 0 would hide A."""
    model = load_model(checkpoint)
    options = {"r": 8, "lora_alpha": 16, "lora_dropout": 0.1, "target_modules": TARGETS[model.config.model_type]} | options
    adapted = peft.get_peft_model(model, peft.LoraConfig(task_type="SEQ_CLS", **options))
    with torch.no_grad():
        for parameter in adapted.parameters():
            if parameter.requires_grad:
                parameter.add_(0.02 * torch.randn(parameter.shape, generator=generator))
    adapted.save_pretrained(folder)


def collate(examples, padding=0):
    longest = max(len(example["ids"]) for example in examples)
    pad = lambda row, value=0: row + [value] * (longest - len(row))
    return {
        "input_ids": torch.tensor([pad(example["ids"], padding) for example in examples]),
        "attention_mask": torch.tensor([pad([1] * len(example["ids"])) for example in examples]),
        "labels": torch.tensor([example["label"] for example in examples]),
    }


def logits(model, batches):
    with torch.no_grad():
        return torch.cat([model(**batch).logits for batch in batches])


def wire_name(name):
    return name.replace(".default", "").replace(".modules_to_save", "")


def gradients(model, batch):
    model.zero_grad()
    model(**batch).loss.backward()
    return {wire_name(name): p.grad for name, p in model.named_parameters() if p.requires_grad}


def loss_curve(model, batches, steps, lr):
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=lr, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.0)
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = model(**batches[step % len(batches)]).loss
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses)
