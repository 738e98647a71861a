#include "fedtune/train/distill_loss.h"

#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mse_loss.h>

#include "fedtune/base/error.h"
#include "fedtune/train/loss.h"

namespace fedtune::train {
namespace {

// A term that is left out is undefined.
at::Tensor sum(const at::Tensor& a, const at::Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() ? a : b;
  return a + b;
}

at::Tensor over(const at::Tensor& term, const at::Tensor& divisor) {
  return term.defined() ? term / divisor : term;
}

}  // namespace

std::vector<LayerPair> matched_layers(const TeacherAndStudent<const models::ModelConfig&>& configs) {
  const models::ModelConfig& teacher = configs.teacher;
  const models::ModelConfig& student = configs.student;
  if (teacher.heads != student.heads) {
    throw usage_error(
        "distillation compares attention head by head: the teacher has {} heads, the student {}; give a teacher with "
        "{} heads",
        teacher.heads, student.heads, student.heads);
  }
  if (teacher.layers % student.layers != 0) {
    throw usage_error(
        "distillation matches layers from the top: the teacher has {} layers, expected a multiple of the student's {}; "
        "give a deeper teacher or a shallower student",
        teacher.layers, student.layers);
  }
  const std::int64_t stride = teacher.layers / student.layers;
  std::vector<LayerPair> pairs;
  for (std::int64_t from_top = 0; from_top < student.layers; ++from_top) {
    pairs.push_back({.teacher = static_cast<std::size_t>(teacher.layers - 1 - from_top * stride),
                     .student = static_cast<std::size_t>(student.layers - 1 - from_top)});
  }
  return pairs;
}

DistillLoss::DistillLoss(const DistillLossOptions& options,
                         const TeacherAndStudent<const models::ModelConfig&>& configs)
    : options_(options), layers_(matched_layers(configs)) {
  if (!(options.temperature > 0.0) || !std::isfinite(options.temperature)) {
    throw usage_error("distillation: the temperature is {}, expected a number above 0", options.temperature);
  }
}

at::Tensor DistillLoss::pull(const at::Tensor& towards, const at::Tensor& logits) const {
  const Answers answers{.logits = logits, .towards = towards};
  return options_.form == KdLoss::corrected ? softened_divergence(answers, options_.temperature)
                                            : raw_divergence(answers);
}

at::Tensor DistillLoss::operator()(const TeacherAndStudent<const models::ForwardResult&>& outputs,
                                   const at::Tensor& labels) const {
  const at::Tensor& teacher = outputs.teacher.logits;  // [sentences, classes]
  const at::Tensor& student = outputs.student.logits;
  const at::Tensor teacher_task = cross_entropy(teacher, labels);
  const at::Tensor student_task = cross_entropy(student, labels);
  const at::Tensor doubt = student_task + teacher_task + 1.0;
  const bool teacher_learns = teacher.requires_grad();

  const at::Tensor task = teacher_learns ? student_task + teacher_task : student_task;
  at::Tensor answers;
  if (has(KdTerms::answers)) {
    answers = pull(teacher, student);
    if (teacher_learns) answers = answers + pull(student, teacher);
  }
  const at::Tensor gap = has(KdTerms::attention) ? attention_gap(outputs, layers_) : at::Tensor();
  if (options_.form == KdLoss::corrected) return sum(task, over(sum(answers, gap), doubt.detach()));
  return sum(task, sum(over(answers, doubt.detach()), over(gap, doubt)));
}

at::Tensor attention_gap(const TeacherAndStudent<const models::ForwardResult&>& outputs,
                         const std::vector<LayerPair>& layers) {
  at::Tensor gap;
  for (const LayerPair& pair : layers) {
    // [sum of len^2, heads] both
    const at::Tensor of_layer =
        at::mse_loss(outputs.student.probabilities[pair.student], outputs.teacher.probabilities[pair.teacher]);
    gap = gap.defined() ? gap + of_layer : of_layer;
  }
  return gap;
}

at::Tensor softened_divergence(const Answers& answers, double temperature) {
  const at::Tensor target = at::log_softmax(answers.towards.detach() / temperature, 1);
  const at::Tensor own = at::log_softmax(answers.logits / temperature, 1);
  const auto sentences = static_cast<double>(own.size(0));
  return (target.exp() * (target - own)).sum() * (temperature * temperature / sentences);
}

at::Tensor raw_divergence(const Answers& answers) {
  const auto sentences = static_cast<double>(answers.logits.size(0));
  return (answers.logits.exp() * (answers.logits - answers.towards.detach())).sum() / sentences;
}

}  // namespace fedtune::train
