// The local training loop: epochs of shuffled packed batches.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "fedtune/train/phase.h"

namespace fedtune::train {

struct TrainOptions {
  PhaseOptions phase = {};
  int epochs = 1;
  int batch_size = 32;  // sentences; the last batch of an epoch may hold fewer
  int threads = 1;      // of the matrix kernels, at least: what has the processor to itself asks for more
  // Called after each epoch (from 0), where set; false ends the training there.
  std::function<bool(int epoch)> on_epoch = {};
};

// Trains `model` on rows of a pool of examples (a client's share), in the order of epoch_order. Throws Error(input)
// when there are no rows, Error(usage) for options out of range, and what Phase::step throws.
TrainReport train(models::SequenceClassifier& model, std::span<const data::Example> pool,
                  std::span<const std::uint32_t> rows, const TrainOptions& options);
// On all of them.
TrainReport train(models::SequenceClassifier& model, std::span<const data::Example> examples,
                  const TrainOptions& options);

// The loop itself, for phases of any kind. Both throw what train throws for its arguments.
std::int64_t steps_of(std::span<const std::uint32_t> rows, const TrainOptions& options);
void for_each_batch(std::span<const data::Example> pool, std::span<const std::uint32_t> rows,
                    const TrainOptions& options, const std::function<void(const data::PackedBatch&)>& step);

// The order in which an epoch visits the examples: a seeded permutation, the reference's shuffle=True.
std::vector<std::uint32_t> epoch_order(const StreamKey& place, std::uint32_t epoch, std::uint32_t examples);

}  // namespace fedtune::train
