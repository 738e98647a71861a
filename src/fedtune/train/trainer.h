// The local training loop: epochs of shuffled packed batches, cross-entropy, AdamW.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "fedtune/base/random.h"
#include "fedtune/data/batch.h"
#include "fedtune/models/classifier.h"
#include "fedtune/train/adamw.h"
#include "fedtune/train/schedule.h"

namespace fedtune::train {

struct TrainOptions {
  AdamWOptions optimizer;
  Schedule schedule = Schedule::constant;
  int epochs = 1;
  int batch_size = 32;
  bool dropout = true;  // off only in parity tests
  // Seed, model role, round and rank of this phase; purpose, step and site are filled in.
  StreamKey place;
  // Polled before each step; true ends the phase with Interrupted.
  std::function<bool()> stop;
  // Called after each step (from 0) with its loss, where set.
  std::function<void(std::int64_t step, double loss)> on_step;
  // Called after each epoch (from 0), where set.
  std::function<void(int epoch)> on_epoch;
};

struct TrainReport {
  std::int64_t steps = 0;
  std::int64_t sentences = 0;
  std::int64_t tokens = 0;
  double mean_loss = 0.0;
  double seconds = 0.0;
};

// Trains every parameter of `model` that requires a gradient. A non-finite loss is Error(failed) naming rank, round,
// step.
TrainReport train(models::SequenceClassifier& model, std::span<const data::Example> examples,
                  const TrainOptions& options);
// The same on rows of a pool of examples: a client's share.
TrainReport train(models::SequenceClassifier& model, std::span<const data::Example> pool,
                  std::span<const std::uint32_t> rows, const TrainOptions& options);

// The order in which an epoch visits the examples: a seeded permutation, the reference's shuffle=True.
std::vector<std::uint32_t> epoch_order(const StreamKey& place, std::uint32_t epoch, std::uint32_t examples);

}  // namespace fedtune::train
