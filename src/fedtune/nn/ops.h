// The fused operations: all the arithmetic of an encoder between two matrix kernels.
//
// Each is a torch::autograd::Function whose backward skips what needs no gradient. Each has a plain twin of the same
// signature in plain.h, written with ATen's operations; the twin is the oracle of the tests and what runs on a device
// without fused kernels (CUDA) or inside a PlainScope. Tensors are fp32, contiguous, [rows, features] unless said.
// All functions are safe to call from several threads on shared weights.
#pragma once

#include <ATen/core/Tensor.h>

#include "fedtune/nn/dropout.h"
#include "fedtune/nn/weights.h"

namespace fedtune::nn {

// x [rows, in] -> [rows, out]. Gradients: x; weight and bias unless frozen.
at::Tensor linear(const at::Tensor& x, const LinearWeight& weight);

// The same without adding the bias, for callers that fuse it into what follows.
at::Tensor linear_no_bias(const at::Tensor& x, const LinearWeight& weight);

// x [rows, in] -> [rows, out]: linear(x) (with bias) + LoRA. Gradients: x, lora.a, lora.b (and weight, bias unless
// frozen).
at::Tensor lora_linear(const at::Tensor& x, const LinearWeight& weight, const LoraWeight& lora, const Dropout& dropout,
                       const RowIds& row_ids);

// gelu(x + bias), exact (erf). x [rows, features], bias [features] (may be undefined). May reuse x's memory: x must not
// be used again by the caller and must not be needed by the backward of what made it.
at::Tensor bias_gelu(const at::Tensor& x, const at::Tensor& bias);

// Any shape. ATen's own is MKL's, which may give its first callers other bits where two threads are the first at once.
at::Tensor tanh(const at::Tensor& x);

// layer_norm(dropout(x + bias) + residual). x, residual [rows, features]; bias [features] (may be undefined).
// x may be overwritten, as in bias_gelu.
at::Tensor dropout_residual_layer_norm(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual,
                                       const LayerNormWeight& norm, const Dropout& dropout, const RowIds& row_ids);

// Integer columns of a packed batch as tensors, int32, on the device of the model.
struct EmbeddingIndex {
  at::Tensor ids;        // [rows]
  at::Tensor positions;  // [rows]
  at::Tensor type_ids;   // [rows]; not read where the model has no token types
};

struct EmbeddingWeight {
  at::Tensor word;      // [vocabulary, features]
  at::Tensor position;  // [positions, features]
  at::Tensor type;      // [types, features], or undefined
  LayerNormWeight norm;
};

// dropout(layer_norm(word[id] + position[pos] + type[type_id])) -> [rows, features].
at::Tensor embedding_layer_norm(const EmbeddingIndex& index, const EmbeddingWeight& weight, const Dropout& dropout);

struct AttentionShape {
  at::Tensor offsets;  // int32 [sentences + 1], on the CPU
  std::int64_t heads = 0;
  // Only the first row of each sentence asks: q is [sentences, features], keys and values are whole.
  bool first_query_only = false;
  // Also return the packed probabilities before dropout (needs every query).
  bool probabilities = false;
};

struct AttentionResult {
  at::Tensor context;        // [rows, features], or [sentences, features] with first_query_only
  at::Tensor probabilities;  // [sum of len^2, heads], sentence by sentence, query-major; undefined unless asked for
};

// softmax(q k^T / sqrt(head_dim)) with dropout, times v, within each sentence (Vaswani et al. 2017, equation 1).
// q, k, v [rows, features], features = heads * head_dim. Rows behind the last sentence come out 0. Differentiable in q,
// k, v, and through both outputs.
AttentionResult packed_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                 const AttentionShape& shape, const Dropout& dropout);

// While one is alive, this thread runs the plain twins.
class PlainScope {
 public:
  PlainScope();
  ~PlainScope();
  PlainScope(const PlainScope&) = delete;
  PlainScope& operator=(const PlainScope&) = delete;
  static bool active();
};

}  // namespace fedtune::nn
