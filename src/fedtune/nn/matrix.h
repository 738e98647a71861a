// The matrix products of a linear layer, on the kernels the table says. No gradients are recorded.
#pragma once

#include <mutex>

#include <ATen/core/Tensor.h>

#include "fedtune/nn/weights.h"

namespace fedtune::nn {

class PackedWeight {
 public:
  // weight [out, in], fp32, contiguous; kept, not copied.
  explicit PackedWeight(const at::Tensor& weight);

  // x W^T + bias: x [rows, in] -> [rows, out]; bias may be undefined.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& bias) const;
  // dy W: [rows, out] -> [rows, in].
  at::Tensor backward(const at::Tensor& dy) const;

 private:
  at::Tensor weight_;
  at::Tensor packed_;  // undefined where the table says at::linear
  // Packed on first use: the lowest layers and evaluation never need it.
  mutable std::once_flag transposed_once_;
  mutable at::Tensor transposed_;
};

// The same products from a weight that changes.
at::Tensor product_forward(const at::Tensor& x, const LinearWeight& weight, const at::Tensor& bias);
at::Tensor product_backward(const at::Tensor& dy, const LinearWeight& weight);
// dy^T x: [rows, out], [rows, in] -> [out, in].
at::Tensor product_weight(const at::Tensor& dy, const at::Tensor& x);

}  // namespace fedtune::nn
