"""Federated averaging in the order of the ranks, as fedtune run does it: the same bits whoever answers first."""

import pathlib
import shlex
import subprocess

import numpy
from flwr.app import Array, ArrayRecord
from flwr.serverapp.strategy import FedAvg

from fedtune_flower import adapter_folder


class RankedFedAvg(FedAvg):
    """Flower's FedAvg but for the sum: by rank, in double precision, rounded once."""

    def aggregate_train(self, server_round, replies):
        replies = list(replies)
        arrays, metrics = super().aggregate_train(server_round, replies)
        valid = [reply for reply in replies if not reply.has_error()]
        if arrays is None or not valid:
            return arrays, metrics
        (record,) = valid[0].content.metric_records
        valid.sort(key=lambda reply: reply.content[record]["rank"])
        weights = [float(reply.content[record]["num-examples"]) for reply in valid]
        shares = [weight / sum(weights) for weight in weights]
        (name,) = valid[0].content.array_records
        mean = ArrayRecord()
        for key in arrays:
            values = [reply.content[name][key].numpy() for reply in valid]
            total = numpy.zeros(values[0].shape, numpy.float64)
            for share, value in zip(shares, values):
                total += share * value.astype(numpy.float64)
            mean[key] = Array(total.astype(numpy.float32))
        return mean, metrics


class DistillingFedAvg(RankedFedAvg):
    """Hands the average to `fedtune distill` after each round: FedKDLoRA."""

    def distil_with(self, command: str, folder: str, lora_alpha: float) -> "DistillingFedAvg":
        """`command`: fedtune distill with the run's options; `folder` keeps the teacher, and may be gone on with."""
        self.command, self.folder, self.lora_alpha = shlex.split(command), pathlib.Path(folder), lora_alpha
        return self

    def aggregate_train(self, server_round, replies):
        arrays, metrics = super().aggregate_train(server_round, replies)
        if arrays is None:
            return arrays, metrics
        before, after = (self.folder / f"round-{server_round}-{what}" for what in ("averaged", "distilled"))
        adapter_folder.save(before, {key: array.numpy() for key, array in arrays.items()}, self.lora_alpha)
        step = ["--state", self.folder / "state", "--round", server_round, "--adapters", before, "--output", after]
        done = subprocess.run([*self.command, *map(str, step)], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"fedtune distill: {done.stderr.strip()}")
        distilled = adapter_folder.load(after)
        return ArrayRecord({key: Array(distilled[key]) for key in arrays}), metrics
