// The joint training loop: epochs of shuffled packed batches through teacher and student.
#pragma once

#include <optional>
#include <span>

#include "fedtune/train/distill_phase.h"
#include "fedtune/train/trainer.h"

namespace fedtune::train {

struct DistillOptions {
  TrainOptions training = {};
  std::optional<double> student_lr = {};  // as in DistillPhaseOptions
  DistillLossOptions loss = {};
};

// Trains both models on rows of a pool of examples, in the order of epoch_order. on_epoch may freeze the teacher.
// Throws what train and DistillPhase throw.
TrainReport distill(const DistilledModels& models, std::span<const data::Example> pool,
                    std::span<const std::uint32_t> rows, const DistillOptions& options);

}  // namespace fedtune::train
