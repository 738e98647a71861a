// A phase in which teacher and student train together, one batch at a time.
#pragma once

#include <cstdint>
#include <optional>

#include "fedtune/train/distill_loss.h"
#include "fedtune/train/phase.h"

namespace fedtune::train {

struct DistillPhaseOptions {
  // As of a phase of one model; the role in `place` is filled in.
  PhaseOptions phase = {};
  // AdamW's rate for the student, on the schedule of `phase`; as the teacher's where not set. Adapters want a rate some
  // twenty times that of a whole model.
  std::optional<double> student_lr = {};
  DistillLossOptions loss = {};
};

using DistilledModels = TeacherAndStudent<models::SequenceClassifier&>;

// Trains every parameter of both that requires a gradient. A teacher in which none does (any more) answers without
// dropout and is left as it is. Belongs to one thread.
class DistillPhase {
 public:
  // The models outlive the phase, which ends after `total_steps`. Throws Error(usage) when they cannot be compared
  // (DistillLoss), Error(failed) when the student has nothing to train.
  DistillPhase(const DistilledModels& models, const DistillPhaseOptions& options, std::int64_t total_steps);
  DistillPhase(const DistillPhase&) = delete;
  DistillPhase& operator=(const DistillPhase&) = delete;

  // Both forward, the loss, both backward, AdamW. Returns the loss before the step; when that is not finite, throws
  // Error(failed) naming round and step, with the parameters as they were.
  double step(const data::PackedBatch& packed);

  const TrainReport& report() const { return report_; }

 private:
  // The loss, and its gradients at the answers of both.
  double descend_to_answers();

  // One of the two models: its half of a step, which needs nothing of the other's but the loss.
  class Side {
   public:
    Side(models::SequenceClassifier& model, ModelRole role, const PhaseOptions& options);

    void forward(const data::PackedBatch& packed, std::int64_t step);
    // What the loss reads: leaves where the model learns, so that the loss's backward ends there.
    const models::ForwardResult& answers() const { return answers_; }
    const at::Tensor& labels() const { return labels_; }
    // From the gradients of the answers to those of the parameters, and the optimiser's step.
    void descend(double lr);

   private:
    models::SequenceClassifier& model_;
    ModelRole role_;
    const PhaseOptions& options_;
    std::optional<AdamW> optimizer_;
    models::ForwardResult computed_;
    models::ForwardResult answers_;
    at::Tensor labels_;  // int64 [sentences]
  };

  DistillPhaseOptions options_;
  DistillLoss loss_;
  // AdamW treats every number on its own: one optimiser for each model is one for both.
  TeacherAndStudent<Side> sides_;
  std::int64_t total_steps_;
  TrainReport report_;
};

}  // namespace fedtune::train
