"""A stock Flower server: start_server with its own FedAvg. Saves the last round's arrays and the clients' scores."""

import argparse
import json

import flwr
import numpy


class Recorded(flwr.server.strategy.FedAvg):
    arrays: list = []

    def aggregate_fit(self, server_round, results, failures):
        assert not failures, failures
        aggregated = super().aggregate_fit(server_round, results, failures)
        self.arrays = flwr.common.parameters_to_ndarrays(aggregated[0])
        return aggregated

    def aggregate_evaluate(self, server_round, results, failures):
        assert not failures, failures
        return super().aggregate_evaluate(server_round, results, failures)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--output", required=True, help=".npz file; the losses go beside it")
    arguments = parser.parse_args()
    strategy = Recorded(
        min_fit_clients=arguments.clients, min_available_clients=arguments.clients,
        min_evaluate_clients=arguments.clients, on_fit_config_fn=lambda round_: {"server_round": round_})
    history = flwr.server.start_server(
        server_address=arguments.address, config=flwr.server.ServerConfig(num_rounds=arguments.rounds),
        strategy=strategy)
    numpy.savez(arguments.output, *strategy.arrays)
    with open(arguments.output + ".json", "w") as file:
        json.dump(history.losses_distributed, file)


if __name__ == "__main__":
    main()
