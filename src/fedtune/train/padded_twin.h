// For tests: a distillation step as one would write it without packing, in plain ATen on a padded batch.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/kl_div.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>

#include "fedtune/data/batch.h"
#include "fedtune/models/classifier.h"
#include "fedtune/models/family.h"
#include "fedtune/train/distill_loss.h"

namespace fedtune::train::testing {

struct PaddedBatch {
  at::Tensor ids;     // int64 [sentences, longest], 0 where padded
  at::Tensor real;    // bool [sentences, longest]
  at::Tensor labels;  // int64 [sentences]
};

inline PaddedBatch pad(std::span<const data::Example> examples) {
  std::size_t longest = 0;
  for (const data::Example& example : examples) longest = std::max(longest, example.ids.size());
  const auto sentences = static_cast<std::int64_t>(examples.size());
  PaddedBatch batch{.ids = at::zeros({sentences, static_cast<std::int64_t>(longest)}, at::kLong),
                    .real = at::zeros({sentences, static_cast<std::int64_t>(longest)}, at::kBool),
                    .labels = at::zeros({sentences}, at::kLong)};
  for (std::int64_t s = 0; s < sentences; ++s) {
    const data::Example& example = examples[static_cast<std::size_t>(s)];
    for (std::size_t i = 0; i < example.ids.size(); ++i) {
      batch.ids[s][static_cast<std::int64_t>(i)] = example.ids[i];
      batch.real[s][static_cast<std::int64_t>(i)] = true;
    }
    batch.labels[s] = example.label;
  }
  return batch;
}

// x [..., in] -> [..., out]
inline at::Tensor padded_linear(const at::Tensor& x, const models::Linear& layer) {
  at::Tensor y = at::matmul(x, layer.weight.weight.t()) + layer.weight.bias;
  if (layer.lora) {
    const nn::LoraWeight& lora = layer.lora->weight;
    y = y + lora.scale * at::matmul(at::matmul(x, lora.a.t()), lora.b.t());
  }
  return y;
}

inline at::Tensor padded_norm(const at::Tensor& x, const nn::LayerNormWeight& norm) {
  return at::layer_norm(x, {x.size(-1)}, norm.gamma, norm.beta, norm.eps);
}

// Without dropout. Probabilities are [sentences, heads, longest, longest].
inline models::ForwardResult padded_forward(const models::SequenceClassifier& model, const PaddedBatch& batch) {
  const std::int64_t sentences = batch.ids.size(0), longest = batch.ids.size(1);
  const std::int64_t heads = model.config.heads, head_dim = model.config.head_dim();
  const nn::EmbeddingWeight& embeddings = model.embeddings.weight;
  at::Tensor x = at::embedding(embeddings.word, batch.ids) + embeddings.position.narrow(0, 0, longest);
  if (embeddings.type.defined()) x = x + embeddings.type[0];
  x = padded_norm(x, embeddings.norm);  // [sentences, longest, hidden]
  const auto by_head = [&](const at::Tensor& y) {
    return y.view({sentences, longest, heads, head_dim}).transpose(1, 2);
  };
  models::ForwardResult result;
  for (const models::EncoderLayer& layer : model.layers) {
    const at::Tensor q = by_head(padded_linear(x, layer.query));
    const at::Tensor k = by_head(padded_linear(x, layer.key));
    const at::Tensor v = by_head(padded_linear(x, layer.value));
    at::Tensor scores = at::matmul(q, k.transpose(2, 3)) / std::sqrt(static_cast<double>(head_dim));
    scores = scores.masked_fill(batch.real.logical_not().view({sentences, 1, 1, longest}),
                                -std::numeric_limits<double>::infinity());
    result.probabilities.push_back(at::softmax(scores, -1));
    const at::Tensor context =
        at::matmul(result.probabilities.back(), v).transpose(1, 2).reshape({sentences, longest, -1});
    x = padded_norm(x + padded_linear(context, layer.attention_output), layer.attention_norm.weight);
    x = padded_norm(x + padded_linear(at::gelu(padded_linear(x, layer.intermediate)), layer.output),
                    layer.output_norm.weight);
  }
  const at::Tensor dense = padded_linear(x.select(1, 0), model.head_dense);  // [sentences, hidden]
  const bool is_tanh = model.family->head_activation == models::HeadActivation::tanh;
  result.logits = padded_linear(is_tanh ? at::tanh(dense) : at::relu(dense), model.classifier);
  return result;
}

// kl(towards -> own) of either form.
inline at::Tensor padded_pull(const DistillLossOptions& options, const at::Tensor& towards, const at::Tensor& own) {
  if (options.form == KdLoss::reference) {
    return at::kl_div(towards.detach(), own, at::Reduction::Sum, /*log_target=*/true) / own.size(0);
  }
  const double t = options.temperature;
  const at::Tensor target = at::softmax(towards.detach() / t, 1);
  return t * t * at::kl_div(at::log_softmax(own / t, 1), target, at::Reduction::Sum) / own.size(0);
}

// The loss of one batch. A teacher without gradients has stopped learning.
inline at::Tensor padded_distill_loss(const TeacherAndStudent<const models::SequenceClassifier&>& models,
                                      std::span<const data::Example> examples, const DistillLossOptions& options) {
  const PaddedBatch batch = pad(examples);
  const models::ForwardResult teacher = padded_forward(models.teacher, batch);
  const models::ForwardResult student = padded_forward(models.student, batch);
  const at::Tensor teacher_task = at::cross_entropy_loss(teacher.logits, batch.labels);
  const at::Tensor student_task = at::cross_entropy_loss(student.logits, batch.labels);
  const at::Tensor doubt = teacher_task + student_task + 1.0;

  const at::Tensor pairs = batch.real.unsqueeze(2).logical_and(batch.real.unsqueeze(1)).unsqueeze(1);
  const at::Tensor count = pairs.sum() * models.student.config.heads;
  const std::size_t stride = teacher.probabilities.size() / student.probabilities.size();
  at::Tensor gap = at::zeros({});
  for (std::size_t from_top = 0; from_top < student.probabilities.size(); ++from_top) {
    const at::Tensor& of_student = student.probabilities[student.probabilities.size() - 1 - from_top];
    const at::Tensor& of_teacher = teacher.probabilities[teacher.probabilities.size() - 1 - from_top * stride];
    gap = gap + ((of_student - of_teacher).square() * pairs).sum() / count;
  }
  at::Tensor answers = padded_pull(options, teacher.logits, student.logits);
  if (teacher.logits.requires_grad()) answers = answers + padded_pull(options, student.logits, teacher.logits);
  const at::Tensor weighted =
      options.form == KdLoss::corrected ? (answers + gap) / doubt.detach() : answers / doubt.detach() + gap / doubt;
  return teacher.logits.requires_grad() ? student_task + teacher_task + weighted : student_task + weighted;
}

}  // namespace fedtune::train::testing
