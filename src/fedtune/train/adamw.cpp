#include "fedtune/train/adamw.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include <ATen/ops/scalar_tensor.h>
#include <c10/core/GradMode.h>
#include <c10/util/ScopeExit.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include "fedtune/base/error.h"
#include "fedtune/base/profile.h"
#include "fedtune/nn/adamw.h"
#include "fedtune/nn/huge_pages.h"

namespace fedtune::train {

namespace {

AdamW::Form form_for(const std::vector<at::Tensor>& parameters) {
  const bool fused = std::ranges::all_of(parameters, nn::takes_adamw_step);
  return fused ? AdamW::Form::fused : AdamW::Form::plain;
}

// A table of embeddings: a step's gradient is 0 in most rows. Without weight decay a row that never had one stays as it
// is.
bool is_table(const at::Tensor& parameter, const AdamWOptions& options) {
  constexpr std::int64_t many_rows = 8192;
  return options.weight_decay == 0.0 && parameter.dim() == 2 && parameter.size(0) >= many_rows;
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
    const bool table = is_table(parameter, options);
    const bool unwritten = form == Form::fused && !table;
    const auto moment = [&] { return unwritten ? nn::huge_empty_like(parameter) : nn::huge_zeros_like(parameter); };
    slots_.push_back({.parameter = parameter,
                      .mean = moment(),
                      .square = moment(),
                      .steps = at::scalar_tensor(0.0f),
                      .unwritten = unwritten});
    if (table) slots_.back().moved.resize(static_cast<std::size_t>(parameter.size(0)));
  }
}

// Runs where the backward pass has put a leaf's whole gradient.
class AdamW::StepHook final : public torch::autograd::PostAccumulateGradHook {
 public:
  StepHook(const AdamW& optimizer, Slot& slot, double lr) : optimizer_(optimizer), slot_(slot), lr_(lr) {}

  void operator()(const at::Tensor&) override { optimizer_.step_slot(slot_, lr_); }

 private:
  const AdamW& optimizer_;
  Slot& slot_;
  double lr_;
};

void AdamW::step(double lr) {
  for (Slot& slot : slots_) step_slot(slot, lr);
}

void AdamW::step_during(const std::function<void()>& backward, double lr) {
  const auto remove = c10::make_scope_exit([this] {
    for (const Slot& slot : slots_) torch::autograd::impl::set_post_acc_grad_hooks(slot.parameter, nullptr);
  });
  for (Slot& slot : slots_)
    torch::autograd::impl::set_post_acc_grad_hooks(slot.parameter, std::make_unique<StepHook>(*this, slot, lr));
  backward();
}

std::vector<at::Tensor> AdamW::state() const {
  std::vector<at::Tensor> state;
  for (const Slot& slot : slots_) {
    if (slot.unwritten) {
      slot.mean.zero_();
      slot.square.zero_();
    }
    state.insert(state.end(), {slot.mean, slot.square, slot.steps});
  }
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
  for (Slot& slot : slots_) {
    slot.unwritten = false;
    std::ranges::fill(slot.moved, char{1});
  }
}

void AdamW::step_slot(Slot& slot, double lr) const {
  if (!slot.parameter.grad().defined()) return;
  const ProfileScope scope(Work::optimiser);
  const c10::NoGradGuard no_grad;
  slot.steps.add_(1.0);
  if (form_ == Form::fused) {
    step_fused(slot, lr);
  } else {
    step_plain(slot, lr);
  }
  slot.parameter.mutable_grad().reset();
}

void AdamW::step_fused(Slot& slot, double lr) const {
  const auto steps = static_cast<double>(slot.steps.item<float>());
  const at::Tensor gradient = slot.parameter.grad().contiguous();
  nn::adamw_step({.parameter = slot.parameter,
                  .gradient = gradient,
                  .mean = slot.mean,
                  .square = slot.square,
                  .moved = slot.moved,
                  .first = slot.unwritten},
                 {.mean_share = static_cast<float>(1.0 - options_.beta1),
                  .square_kept = static_cast<float>(options_.beta2),
                  .square_share = static_cast<float>(1.0 - options_.beta2),
                  .eps = static_cast<float>(options_.eps),
                  .kept = static_cast<float>(1.0 - lr * options_.weight_decay),
                  .step = static_cast<float>(lr / (1.0 - std::pow(options_.beta1, steps))),
                  .root_correction = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(options_.beta2, steps)))});
  slot.unwritten = false;
}

void AdamW::step_plain(Slot& slot, double lr) const {
  const at::Tensor& gradient = slot.parameter.grad();
  const double steps = slot.steps.item<double>();
  const double mean_correction = 1.0 - std::pow(options_.beta1, steps);
  const double square_correction = 1.0 - std::pow(options_.beta2, steps);
  slot.mean.lerp_(gradient, 1.0 - options_.beta1);
  slot.square.mul_(options_.beta2).addcmul_(gradient, gradient, 1.0 - options_.beta2);
  slot.parameter.mul_(1.0 - lr * options_.weight_decay);
  const at::Tensor scale = slot.square.sqrt().div_(std::sqrt(square_correction)).add_(options_.eps);
  slot.parameter.addcdiv_(slot.mean, scale, -lr / mean_correction);
}

}  // namespace fedtune::train
