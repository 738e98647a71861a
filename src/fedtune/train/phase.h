// A training phase, one batch at a time: a model, its optimiser, and how far they have come.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "fedtune/base/random.h"
#include "fedtune/data/batch.h"
#include "fedtune/format/named_tensors.h"
#include "fedtune/models/classifier.h"
#include "fedtune/train/adamw.h"
#include "fedtune/train/schedule.h"

namespace fedtune::train {

struct PhaseOptions {
  AdamWOptions optimizer = {};
  Schedule schedule = Schedule::constant;
  bool dropout = true;  // off only in parity tests
  // Seed, model role, round and rank of this phase; purpose, step and site are filled in.
  StreamKey place = {};
  // Polled before each step; true ends the phase with Interrupted.
  std::function<bool()> stop = {};
  // Called after each step (from 0) with its loss, where set.
  std::function<void(std::int64_t step, double loss)> on_step = {};
};

struct TrainReport {
  std::int64_t steps = 0;
  std::int64_t sentences = 0;
  std::int64_t tokens = 0;
  double mean_loss = 0.0;  // over the steps
  double seconds = 0.0;    // wall clock
};

// Trains every parameter of `model` that requires a gradient. Belongs to one thread.
class Phase {
 public:
  // `model` outlives the phase, which ends after `total_steps` (what a decaying schedule divides by). Throws
  // Error(failed) when nothing requires a gradient.
  Phase(models::SequenceClassifier& model, const PhaseOptions& options, std::int64_t total_steps);

  // Forward, cross-entropy, backward, AdamW. Returns the loss before the step; when that is not finite, throws
  // Error(failed) naming rank, round and step, with the parameters as they were.
  double step(const data::PackedBatch& packed);

  const TrainReport& report() const { return report_; }

  // The optimiser's moments, named by their place: with the model's parameters and the steps taken, all that a phase
  // needs to go on elsewhere.
  NamedTensors moments() const;
  // Goes on after `steps` of another phase with the same options, whose parameters the model has already. Throws
  // Error(input) when the moments do not fit. The report counts what is done from here on, and the steps before.
  void resume(std::int64_t steps, const NamedTensors& moments);

 private:
  double descend(const models::Batch& batch);

  models::SequenceClassifier& model_;
  PhaseOptions options_;
  AdamW optimizer_;
  std::int64_t total_steps_;
  TrainReport report_;
};

// What every kind of phase does around a step. Throws Interrupted where `stop` says so.
void throw_if_stopped(const PhaseOptions& options);
// Throws Error(failed) naming who trains, round and step (from 0).
void require_finite(double loss, const PhaseOptions& options, std::int64_t step);
// Adds a step to the report and tells on_step.
void record_step(const PhaseOptions& options, const data::PackedBatch& packed, double loss, TrainReport& report);
// For messages: "client 4", "the teacher", "at the server".
std::string trainee_name(const StreamKey& place);

}  // namespace fedtune::train
