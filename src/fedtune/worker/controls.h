// What a federation is compared with: the same work on pooled data, and each client on its own.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "fedtune/train/evaluate.h"
#include "fedtune/worker/client_worker.h"

namespace fedtune::worker {

struct ControlOptions {
  ClientOptions client = {};  // learning rate, batch size and epochs per round of the federation compared with
  int rounds = 1;             // of that federation; a control trains rounds * client.epochs epochs with one optimiser
  std::span<const data::Example> validation = {};
  train::EvaluateOptions evaluate = {};
  std::function<bool()> stop = {};  // polled between steps; true throws Interrupted
};

// One party trains on the union of the shares. Scores after every client.epochs epochs: [rounds].
std::vector<train::Scores> train_central(const train::StudentTemplate& student, const Shares& shares,
                                         const ControlOptions& options);

struct LocalOnly {
  std::vector<train::Scores> clients;  // final scores of each client's own model, by rank
  train::Scores mean;                  // of those; `sentences` is the validation set's
};

// Every client trains alone and never sends anything; evaluate.workers clients at once.
LocalOnly train_local_only(const train::StudentTemplate& student, const Shares& shares, const ControlOptions& options);

}  // namespace fedtune::worker
