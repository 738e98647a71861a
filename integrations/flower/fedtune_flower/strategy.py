"""Federated averaging in the order of the ranks, as fedtune run does it: the same bits whoever answers first."""

import numpy
from flwr.app import Array, ArrayRecord
from flwr.serverapp.strategy import FedAvg


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
