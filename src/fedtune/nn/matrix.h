// The matrix products of a linear layer. No gradients are recorded.
//
// fp32 tensors on a CPU; the kernels are those of the set in use (kernels/matrix_product.h, kernels/amx.cpp), so that
// an element has the same bits whatever the number of rows and threads (docs/adr/0007), or those of kernels/bf16.h for
// frozen weights (docs/adr/0009).
#pragma once

#include <mutex>

#include <ATen/core/Tensor.h>

#include "fedtune/nn/kernels/bf16.h"
#include "fedtune/nn/kernels/kernels.h"
#include "fedtune/nn/weights.h"

namespace fedtune::nn {

class PackedWeight {
 public:
  // weight [out, in]; kept, not copied, but what is read of a mapped file goes again (base/file.h). In fp32 where
  // `bf16` is null.
  explicit PackedWeight(const at::Tensor& weight, const kernels::Bf16Kernels* bf16 = nullptr);

  // x W^T + bias: x [rows, in] -> [rows, out]; bias may be undefined.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& bias) const;
  // dy W: [rows, out] -> [rows, in].
  at::Tensor backward(const at::Tensor& dy) const;

 private:
  at::Tensor pack(const kernels::Source& source) const;
  at::Tensor multiply(const at::Tensor& x, const kernels::Source& source, const at::Tensor& panels,
                      const at::Tensor& bias) const;

  const kernels::Kernels& kernels_;   // whose layout the panels have
  const kernels::Bf16Kernels* bf16_;  // or these, where there are any
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
