"""Waits for the nodes, takes the initial arrays from one of them, lets the strategy run."""

import time

import numpy
from flwr.app import Context, Message, RecordDict
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from fedtune_flower.strategy import DistillingFedAvg, RankedFedAvg

app = ServerApp()


def await_nodes(grid: Grid, count: int) -> list[int]:
    """The nodes, once there are as many."""
    while True:
        nodes = sorted(grid.get_node_ids())
        if len(nodes) >= count:
            return nodes
        time.sleep(0.5)


def initial_arrays(grid: Grid, nodes: list[int], timeout: float):
    """Every native node draws the same from the run's seed; Python's do not know the question."""
    reasons = []
    for node in nodes:
        question = Message(content=RecordDict(), dst_node_id=node, message_type="query")
        for reply in grid.send_and_receive([question], timeout=timeout):
            if not reply.has_error():
                return reply.content["arrays"]
            reasons.append(reply.error.reason)
    raise RuntimeError(f"no node has initial arrays: {reasons}")


@app.main()
def main(grid: Grid, context: Context) -> None:
    config = context.run_config
    count, timeout = int(config["num-nodes"]), float(config["timeout"])
    nodes = await_nodes(grid, count)
    arrays = initial_arrays(grid, nodes, timeout)
    strategies = {"fedavg": FedAvg, "ranked": RankedFedAvg, "distilling": DistillingFedAvg}
    strategy = strategies[config["strategy"]](
        min_train_nodes=count, min_evaluate_nodes=count, min_available_nodes=count)
    if config["strategy"] == "distilling":
        strategy.distil_with(str(config["distill"]), str(config["folder"]), float(config["lora-alpha"]))
    result = strategy.start(grid, arrays, num_rounds=int(config["num-server-rounds"]), timeout=timeout)
    if config["output"]:
        numpy.savez(str(config["output"]), **{key: array.numpy() for key, array in result.arrays.items()})
