#include "fedtune/nn/matrix.h"

#include <ATen/ATen.h>

#include "fedtune/nn/kernel_table.h"
#include "fedtune/nn/onednn.h"

namespace fedtune::nn {
namespace {

bool use_onednn() {
  return matrix_kernels() == MatrixKernels::onednn;
}

at::Tensor multiply(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias) {
  if (use_onednn()) return onednn::linear(x, w, bias);
  return bias.defined() ? at::linear(x, w, bias) : at::linear(x, w);
}

}  // namespace

PackedWeight::PackedWeight(const at::Tensor& weight) : weight_(weight.detach()) {
  if (use_onednn() && weight.is_cpu() && weight.scalar_type() == at::kFloat) packed_ = onednn::pack(weight_);
}

at::Tensor PackedWeight::forward(const at::Tensor& x, const at::Tensor& bias) const {
  return multiply(x, packed_.defined() ? packed_ : weight_, bias);
}

at::Tensor PackedWeight::backward(const at::Tensor& dy) const {
  if (!packed_.defined()) return at::mm(dy, weight_);
  std::call_once(transposed_once_, [this] { transposed_ = onednn::pack(weight_.t().contiguous()); });
  return multiply(dy, transposed_, {});
}

at::Tensor product_forward(const at::Tensor& x, const LinearWeight& weight, const at::Tensor& bias) {
  return weight.packed ? weight.packed->forward(x, bias) : multiply(x, weight.weight, bias);
}

at::Tensor product_backward(const at::Tensor& dy, const LinearWeight& weight) {
  return weight.packed ? weight.packed->backward(dy) : multiply(dy, weight.weight.t(), {});
}

at::Tensor product_weight(const at::Tensor& dy, const at::Tensor& x) {
  return multiply(dy.t(), x.t(), {});
}

void freeze(LinearWeight& weight) {
  weight.weight = weight.weight.detach().contiguous();
  weight.packed = std::make_shared<const PackedWeight>(weight.weight);
}

}  // namespace fedtune::nn
