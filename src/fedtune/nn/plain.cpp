#include "fedtune/nn/plain.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/tanh.h>

namespace fedtune::nn::plain {
namespace {

at::Tensor layer_norm(const at::Tensor& x, const LayerNormWeight& norm) {
  return at::layer_norm(x, {x.size(1)}, norm.gamma, norm.beta, norm.eps);
}

at::Tensor drop(const at::Tensor& x, const Dropout& dropout, const RowIds& row_ids) {
  if (!dropout.active()) return x;
  return x * dropout_mask(dropout, row_ids, x.size(0), x.size(1)).to(x.device(), x.scalar_type());
}

at::Tensor add_bias(const at::Tensor& x, const at::Tensor& bias) {
  return bias.defined() ? x + bias : x;
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const LinearWeight& weight) {
  return add_bias(plain::linear_no_bias(x, weight), weight.bias);
}

at::Tensor linear_no_bias(const at::Tensor& x, const LinearWeight& weight) {
  return x.matmul(weight.weight.t());
}

at::Tensor lora_linear(const at::Tensor& x, const LinearWeight& weight, const LoraWeight& lora, const Dropout& dropout,
                       const RowIds& row_ids) {
  const at::Tensor low = drop(x, dropout, row_ids).matmul(lora.a.t());  // [rows, r]
  return plain::linear(x, weight) + low.matmul(lora.b.t()) * lora.scale;
}

at::Tensor bias_gelu(const at::Tensor& x, const at::Tensor& bias) {
  return at::gelu(add_bias(x, bias));
}

at::Tensor tanh(const at::Tensor& x) {
  return at::tanh(x);
}

at::Tensor dropout_residual_layer_norm(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual,
                                       const LayerNormWeight& norm, const Dropout& dropout, const RowIds& row_ids) {
  return layer_norm(drop(add_bias(x, bias), dropout, row_ids) + residual, norm);
}

at::Tensor embedding_layer_norm(const EmbeddingIndex& index, const EmbeddingWeight& weight, const Dropout& dropout) {
  at::Tensor sum = weight.word.index_select(0, index.ids) + weight.position.index_select(0, index.positions);
  if (weight.type.defined()) sum = sum + weight.type.index_select(0, index.type_ids);
  return drop(layer_norm(sum, weight.norm), dropout, {});
}

}  // namespace fedtune::nn::plain
