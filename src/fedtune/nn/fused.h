// What the fused operations have in common.
#pragma once

#include <optional>
#include <utility>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "fedtune/nn/dropout.h"
#include "fedtune/nn/kernels/kernels.h"

namespace fedtune::nn {

// Whether the kernels take this tensor; its plain twin runs otherwise.
bool use_kernels(const at::Tensor& x);

// Whether any of these needs a gradient now.
template <typename... Tensors>
bool needs_gradient(const Tensors&... tensors) {
  return at::GradMode::is_enabled() && ((tensors.defined() && tensors.requires_grad()) || ...);
}

inline const float* read(const at::Tensor& x) {
  return x.defined() ? x.const_data_ptr<float>() : nullptr;
}
inline float* write(const at::Tensor& x) {
  return x.defined() ? x.mutable_data_ptr<float>() : nullptr;
}

// The dropout as kernels take it; `row_ids` must outlive it.
kernels::Drop drop_of(const Dropout& dropout, const RowIds& row_ids);

// `rows` scratch rows of `features`.
at::Tensor scratch_rows(std::int64_t rows, std::int64_t features);

// Sum over rows: [rows, features] -> [features].
at::Tensor column_sum(const at::Tensor& x);

// Counts x as changed, so that autograd notices when its old value is still needed.
inline void note_overwritten(const at::Tensor& x) {
  x.unsafeGetTensorImpl()->bump_version();
}

inline std::optional<at::Tensor> optional(const at::Tensor& x) {
  return x.defined() ? std::optional(x) : std::nullopt;
}

// What an operation keeps for its backward pass beside tensors.
template <typename State>
struct Kept : torch::CustomClassHolder {
  explicit Kept(State value) : state(std::move(value)) {}
  State state;
};
template <typename State>
void keep(torch::autograd::AutogradContext* context, State state) {
  context->saved_data["state"] = c10::IValue::make_capsule(c10::make_intrusive<Kept<State>>(std::move(state)));
}
template <typename State>
const State& kept(torch::autograd::AutogradContext* context) {
  return static_cast<const Kept<State>&>(*context->saved_data.at("state").toCapsule()).state;
}

// Zeros like x when wanted, else undefined.
inline at::Tensor zeros_if(bool wanted, const at::Tensor& like) {
  return wanted ? at::zeros_like(like) : at::Tensor();
}

}  // namespace fedtune::nn
