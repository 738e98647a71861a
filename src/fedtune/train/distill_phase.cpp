#include "fedtune/train/distill_phase.h"

#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/autograd.h>

#include "fedtune/base/error.h"
#include "fedtune/base/profile.h"
#include "fedtune/nn/thread.h"
#include "fedtune/train/device_batch.h"
#include "fedtune/train/trained_leaves.h"

namespace fedtune::train {
namespace {

at::Tensor leaf_of(const at::Tensor& tensor) {
  return tensor.detach().requires_grad_(tensor.requires_grad());
}

}  // namespace

DistillPhase::Side::Side(models::SequenceClassifier& model, ModelRole role, const PhaseOptions& options)
    : model_(model), role_(role), options_(options) {
  if (std::vector<at::Tensor> leaves = trained_leaves(model); !leaves.empty()) {
    optimizer_.emplace(std::move(leaves), options.optimizer);
  } else if (role == ModelRole::student) {
    throw failed("distillation: the student has no parameter that requires a gradient");
  }
}

void DistillPhase::Side::forward(const data::PackedBatch& packed, std::int64_t step) {
  StreamKey place = options_.place;
  place.purpose = Purpose::distil_dropout;
  place.role = role_;
  place.step = static_cast<std::uint32_t>(step);
  const bool learns = !trained_leaves(model_).empty();
  const models::Batch batch = to_batch(packed, model_);
  computed_ = model_.forward(batch, {.training = options_.dropout && learns, .place = place, .probabilities = true});
  answers_.logits = leaf_of(computed_.logits);
  answers_.probabilities.clear();
  for (const at::Tensor& layer : computed_.probabilities) answers_.probabilities.push_back(leaf_of(layer));
  labels_ = batch.labels;
}

void DistillPhase::Side::descend(double lr) {
  if (!optimizer_ || !computed_.logits.requires_grad()) return;
  std::vector<at::Tensor> roots;
  std::vector<at::Tensor> gradients;
  const auto add = [&](const at::Tensor& root, const at::Tensor& leaf) {
    if (!leaf.grad().defined()) return;
    roots.push_back(root);
    gradients.push_back(leaf.grad());
  };
  add(computed_.logits, answers_.logits);
  for (std::size_t i = 0; i < computed_.probabilities.size(); ++i) {
    add(computed_.probabilities[i], answers_.probabilities[i]);
  }
  optimizer_->step_during([&] { torch::autograd::backward(roots, gradients); }, lr);
}

DistillPhase::DistillPhase(const DistilledModels& models, const DistillPhaseOptions& options, std::int64_t total_steps)
    : options_(options),
      loss_(options.loss, {.teacher = models.teacher.config, .student = models.student.config}),
      sides_{.teacher = Side(models.teacher, ModelRole::teacher, options_.phase),
             .student = Side(models.student, ModelRole::student, options_.phase)},
      total_steps_(total_steps) {}

double DistillPhase::descend_to_answers() {
  // Its sums are torch's, which add in another order on several threads.
  const nn::UseThreads one(1);
  const ProfileScope scope(Work::loss);
  const at::Tensor loss =
      loss_({.teacher = sides_.teacher.answers(), .student = sides_.student.answers()}, sides_.student.labels());
  const double value = loss.item<double>();
  require_finite(value, options_.phase, report_.steps);
  loss.backward();
  return value;
}

double DistillPhase::step(const data::PackedBatch& packed) {
  throw_if_stopped(options_.phase);
  const ProfiledStep profiled(StepKind::distillation);
  sides_.teacher.forward(packed, report_.steps);
  sides_.student.forward(packed, report_.steps);
  const double value = descend_to_answers();
  const PhaseOptions& phase = options_.phase;
  const auto now = [&](double peak) { return learning_rate(phase.schedule, peak, {report_.steps, total_steps_}); };
  sides_.teacher.descend(now(phase.optimizer.lr));
  sides_.student.descend(now(options_.student_lr.value_or(phase.optimizer.lr)));
  record_step(phase, packed, value, report_);
  return value;
}

}  // namespace fedtune::train
