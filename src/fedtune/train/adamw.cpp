#include "fedtune/train/adamw.h"

#include <cmath>

#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include "fedtune/base/error.h"
#include "fedtune/base/profile.h"

namespace fedtune::train {

namespace {

AdamW::Form form_for(const std::vector<at::Tensor>& parameters) {
  return !parameters.empty() && parameters.front().is_cpu() ? AdamW::Form::fused : AdamW::Form::plain;
}

}  // namespace

AdamW::AdamW(const std::vector<at::Tensor>& parameters, const AdamWOptions& options)
    : AdamW(parameters, options, form_for(parameters)) {}

AdamW::AdamW(const std::vector<at::Tensor>& parameters, const AdamWOptions& options, Form form)
    : options_(options), form_(form) {
  if (parameters.empty()) throw failed("optimiser: no parameter requires a gradient");
  const c10::NoGradGuard no_grad;
  slots_.reserve(parameters.size());
  for (const at::Tensor& parameter : parameters) {
    slots_.push_back({.parameter = parameter,
                      .mean = at::zeros_like(parameter),
                      .square = at::zeros_like(parameter),
                      .steps = at::scalar_tensor(0.0f)});
  }
}

void AdamW::step(double lr) {
  const ProfileScope scope(Work::optimiser);
  const c10::NoGradGuard no_grad;
  if (form_ == Form::fused) {
    step_fused(lr);
  } else {
    step_plain(lr);
  }
  for (Slot& slot : slots_) slot.parameter.mutable_grad().reset();
}

std::vector<at::Tensor> AdamW::state() const {
  std::vector<at::Tensor> state;
  for (const Slot& slot : slots_) state.insert(state.end(), {slot.mean, slot.square, slot.steps});
  return state;
}

void AdamW::restore(const std::vector<at::Tensor>& state) {
  const c10::NoGradGuard no_grad;
  const std::vector<at::Tensor> own = this->state();
  if (own.size() != state.size()) {
    throw input_error("an optimiser's state has {} tensors, expected {}", state.size(), own.size());
  }
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (own[i].sizes() != state[i].sizes()) throw input_error("an optimiser's state: tensor {} has another shape", i);
    own[i].copy_(state[i]);
  }
}

// One pass over memory: parameter, gradient and both moments are read and written together.
void AdamW::step_fused(double lr) {
  std::vector<at::Tensor> parameters;
  std::vector<at::Tensor> gradients;
  std::vector<at::Tensor> means;
  std::vector<at::Tensor> squares;
  std::vector<at::Tensor> steps;
  for (Slot& slot : slots_) {
    if (!slot.parameter.grad().defined()) continue;
    slot.steps.add_(1.0);
    parameters.push_back(slot.parameter);
    gradients.push_back(slot.parameter.grad().contiguous());
    means.push_back(slot.mean);
    squares.push_back(slot.square);
    steps.push_back(slot.steps);
  }
  if (parameters.empty()) return;
  at::_fused_adamw_(parameters, gradients, means, squares, {}, steps, lr, options_.beta1, options_.beta2,
                    options_.weight_decay, options_.eps, /*amsgrad=*/false, /*maximize=*/false);
}

void AdamW::step_plain(double lr) {
  for (Slot& slot : slots_) {
    const at::Tensor& gradient = slot.parameter.grad();
    if (!gradient.defined()) continue;
    slot.steps.add_(1.0);
    const double steps = slot.steps.item<double>();
    const double mean_correction = 1.0 - std::pow(options_.beta1, steps);
    const double square_correction = 1.0 - std::pow(options_.beta2, steps);
    slot.mean.lerp_(gradient, 1.0 - options_.beta1);
    slot.square.mul_(options_.beta2).addcmul_(gradient, gradient, 1.0 - options_.beta2);
    slot.parameter.mul_(1.0 - lr * options_.weight_decay);
    const at::Tensor scale = slot.square.sqrt().div_(std::sqrt(square_correction)).add_(options_.eps);
    slot.parameter.addcdiv_(slot.mean, scale, -lr / mean_correction);
  }
}

}  // namespace fedtune::train
