// The two operators through which LibTorch lends its oneDNN, looked up by name at run time: not every wheel has them.
// Neither records gradients; both run under InferenceMode and from several threads on one packed weight.
#pragma once

#include <ATen/core/Tensor.h>

namespace fedtune::nn::onednn {

bool available();

// x w^T + bias: x [rows, in]; w [out, in], any strides, or packed; bias [out] or undefined.
at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias);

// w [out, in] in the layout that linear() reads fastest, for any number of rows. Opaque: for linear() alone.
at::Tensor pack(const at::Tensor& w);

}  // namespace fedtune::nn::onednn
