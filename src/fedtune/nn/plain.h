// The plain twins: each fused operation of ops.h, of the same signature, written with ATen's differentiable operations.
//
// They run on any device and, but for the fixed meaning of dropout, in any floating type, so their gradients can be
// checked numerically in double. They never reuse an argument's memory.
#pragma once

#include "fedtune/nn/ops.h"

namespace fedtune::nn::plain {

at::Tensor linear(const at::Tensor& x, const LinearWeight& weight);

at::Tensor linear_no_bias(const at::Tensor& x, const LinearWeight& weight);

at::Tensor lora_linear(const at::Tensor& x, const LinearWeight& weight, const LoraWeight& lora, const Dropout& dropout,
                       const RowIds& row_ids);

at::Tensor bias_gelu(const at::Tensor& x, const at::Tensor& bias);

at::Tensor tanh(const at::Tensor& x);

at::Tensor dropout_residual_layer_norm(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual,
                                       const LayerNormWeight& norm, const Dropout& dropout, const RowIds& row_ids);

at::Tensor embedding_layer_norm(const EmbeddingIndex& index, const EmbeddingWeight& weight, const Dropout& dropout);

AttentionResult packed_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                 const AttentionShape& shape, const Dropout& dropout);

}  // namespace fedtune::nn::plain
