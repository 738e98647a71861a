"""Logits, gradients and loss curves of whole models, ours against transformers and peft, from the same files."""

import json
import subprocess

import torch
import transformers
from safetensors.torch import load_file

import reference

STEPS = 20
BATCH_SIZE = 16
BATCHES = 4
FRAMES = {"roberta": (0, 2)}  # ids of the first and the last token
BERT_FRAME = (101, 102)
LEARNING_RATES = {"all parameters": 5e-5, "LoRA": 1e-3}


def make_examples(config, generator):
    """Random ids in sentences of 3 to 40, as long as real ones are."""
    first, last = FRAMES.get(config.model_type, BERT_FRAME)
    examples = []
    for _ in range(BATCH_SIZE * BATCHES):
        length = int(torch.randint(3, 41, (1,), generator=generator))
        words = torch.randint(1000, config.vocab_size, (length - 2,), generator=generator).tolist()
        label = int(torch.randint(2, (1,), generator=generator))
        examples.append({"ids": [first, *words, last], "label": label})
    return examples


def relative_error(name, found, expected):
    """Largest error of a tensor's gradient, relative to its largest entry.

    A key's bias adds the same to every score of a query, which softmax ignores: what is computed for it is rounding, and
    is compared with the gradient of the key's weight.
    """
    is_key_bias = name.endswith(("key.bias", "k_lin.bias"))
    scale = expected[name.replace(".bias", ".weight") if is_key_bias else name].abs().max()
    return ((found[name] - expected[name]).abs().max() / scale).item()


class ModelChecks:
    def __init__(self, build, folder, report):
        self.probe = build / "tests" / "model_probe"
        self.folder = folder
        self.report = report

    def compare(self, title, checkpoint, adapter, examples):
        """`checkpoint` in all parameters, or with `adapter` in those of the adapter."""
        mode = "LoRA" if adapter else "all parameters"
        rows = [list(range(i, i + BATCH_SIZE)) for i in range(0, len(examples), BATCH_SIZE)]
        ours = self._ours(checkpoint, adapter, examples, rows, LEARNING_RATES[mode])
        pad = transformers.AutoConfig.from_pretrained(checkpoint).pad_token_id
        batches = [reference.collate([examples[row] for row in batch], pad) for batch in rows]
        fresh = lambda: reference.load_model(checkpoint, adapter, trainable=True)

        expected = reference.logits(fresh(), batches)
        self.report.add(f"{title}, {mode}: logits", (ours["logits"] - expected).abs().max(), 1e-4)
        expected = reference.gradients(fresh(), batches[0])
        found = {key.removeprefix("gradient."): value for key, value in ours.items() if key.startswith("gradient.")}
        assert found.keys() == expected.keys(), sorted(found.keys() ^ expected.keys())
        worst = max(relative_error(name, found, expected) for name in expected)
        self.report.add(f"{title}, {mode}: gradients of {len(expected)} tensors, relative", worst, 1e-4)
        expected = reference.loss_curve(fresh(), batches, STEPS, LEARNING_RATES[mode])
        self.report.add(f"{title}, {mode}: loss over {STEPS} AdamW steps", (ours["loss_curve"] - expected).abs().max(), 1e-4)

    def _ours(self, checkpoint, adapter, examples, rows, lr):
        output = self.folder / "probe.safetensors"
        job = {"checkpoint": str(checkpoint), "adapter": str(adapter or ""), "output": str(output), "examples": examples,
               "batches": rows, "steps": STEPS, "lr": lr}
        subprocess.run([self.probe], input=json.dumps(job), text=True, check=True)
        return load_file(output)

    def compare_model(self, name, model, generator, **adapter_options):
        checkpoint, adapter = self.folder / name / "model", self.folder / name / "adapter"
        model.save_pretrained(checkpoint)
        config = model.config
        del model
        reference.random_adapter(checkpoint, adapter, generator, **adapter_options)
        examples = make_examples(config, generator)
        self.compare(name, checkpoint, None, examples)
        self.compare(name, checkpoint, adapter, examples)


def run(build, minilm, folder, report):
    checks = ModelChecks(build, folder, report)
    generator = torch.Generator().manual_seed(7)
    distilbert = transformers.DistilBertConfig()
    checks.compare_model("DistilBERT-base, random", reference.random_model(distilbert, generator), generator)
    bert = transformers.BertConfig(num_hidden_layers=4)
    checks.compare_model("BERT-base, 4 layers, random", reference.random_model(bert, generator), generator,
                         target_modules=["query", "key", "value", "dense"])
    roberta = transformers.RobertaConfig(
        hidden_size=256, num_hidden_layers=2, num_attention_heads=4, intermediate_size=512, vocab_size=4000,
        max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5)
    checks.compare_model("RoBERTa, 2 layers, random", reference.random_model(roberta, generator), generator,
                         target_modules=["query", "value", "intermediate.dense"])
    checks.compare_model("MiniLM", reference.pretrained_model(minilm, generator), generator)
