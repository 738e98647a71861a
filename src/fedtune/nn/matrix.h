// The matrix products of a linear layer. No gradients are recorded.
//
// fp32 on a CPU; the kernels are those of kernels/matrix_product.h, so that an element has the same bits whatever the
// number of rows and threads. See docs/adr/0007.
#pragma once

#include <mutex>

#include <ATen/core/Tensor.h>

#include "fedtune/nn/kernels/kernels.h"
#include "fedtune/nn/weights.h"

namespace fedtune::nn {

class PackedWeight {
 public:
  // weight [out, in]; kept, not copied.
  explicit PackedWeight(const at::Tensor& weight);

  // x W^T + bias: x [rows, in] -> [rows, out]; bias may be undefined.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& bias) const;
  // dy W: [rows, out] -> [rows, in].
  at::Tensor backward(const at::Tensor& dy) const;

 private:
  const kernels::Kernels& kernels_;  // whose layout the panels have
  at::Tensor weight_;
  at::Tensor panels_;
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
