"""Flower's server of one round of the reference system's FedLoRA; prints the seconds of training and of scoring.

    round_server.py --address HOST:PORT [--tuned]
"""

import argparse
import json
import time

import flwr

CLIENTS = 4


class Timed(flwr.server.strategy.FedAvg):
    marks: dict = {}

    def configure_fit(self, server_round, parameters, client_manager):
        chosen = super().configure_fit(server_round, parameters, client_manager)
        self.marks["fit"] = time.perf_counter()
        return chosen

    def aggregate_fit(self, server_round, results, failures):
        assert not failures, failures
        aggregated = super().aggregate_fit(server_round, results, failures)
        self.marks["aggregated"] = time.perf_counter()
        return aggregated

    def aggregate_evaluate(self, server_round, results, failures):
        assert not failures, failures
        aggregated = super().aggregate_evaluate(server_round, results, failures)
        self.marks["scored"] = time.perf_counter()
        return aggregated


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--tuned", action="store_true", help="one client scores, not all")
    options = parser.parse_args()
    scoring = {"fraction_evaluate": 0.0, "min_evaluate_clients": 1} if options.tuned else {
        "min_evaluate_clients": CLIENTS}
    strategy = Timed(min_fit_clients=CLIENTS, min_available_clients=CLIENTS, **scoring)
    if options.tuned:
        strategy.fraction_evaluate = 1e-9  # 0 would switch scoring off; the least number above makes it one client
    flwr.server.start_server(server_address=options.address, config=flwr.server.ServerConfig(num_rounds=1),
                             strategy=strategy)
    marks = strategy.marks
    print(json.dumps({"train": marks["aggregated"] - marks["fit"], "evaluate": marks["scored"] - marks["aggregated"]}))


if __name__ == "__main__":
    main()
