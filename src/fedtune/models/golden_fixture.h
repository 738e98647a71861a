// For tests: the committed models of tests/golden, their sentences, and what the reference libraries make of them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <gtest/gtest.h>

#include "fedtune/format/json_file.h"
#include "fedtune/format/safetensors.h"
#include "fedtune/io/parameters.h"
#include "fedtune/models/checkpoint.h"

namespace fedtune::models::golden {

inline std::filesystem::path folder(const std::string& kind) {
  return std::filesystem::path(FEDTUNE_SOURCE_DIR) / "tests" / "golden" / kind;
}

struct Sentence {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> type_ids;
  std::int32_t label = 0;
};

// The sentences of sentences.json, in order.
inline std::vector<Sentence> sentences() {
  const auto file = folder("sentences.json");
  std::vector<Sentence> all;
  for (const auto& entry : required<nlohmann::json>(load_json(file), "sentences", file.string())) {
    all.push_back({required<std::vector<std::int32_t>>(entry, "ids", file.string()),
                   required<std::vector<std::int32_t>>(entry, "type_ids", file.string()),
                   required<std::int32_t>(entry, "label", file.string())});
  }
  return all;
}

// How many sentences, from the first on, the expected gradients are of; the loss curves go through all, so many at a
// time.
constexpr std::size_t batch_size = 8;

struct Range {
  std::size_t begin;
  std::size_t end;
};

// Sentences begin .. end-1 laid end to end; a model with one token type is given no other.
inline Batch pack(const std::vector<Sentence>& all, Range range, const ModelConfig& config) {
  std::vector<std::int32_t> ids, positions, types, offsets{0}, labels;
  for (std::size_t s = range.begin; s < range.end; ++s) {
    ids.insert(ids.end(), all[s].ids.begin(), all[s].ids.end());
    for (const std::int32_t type : all[s].type_ids) types.push_back(config.type_vocab_size > 1 ? type : 0);
    for (std::size_t i = 0; i < all[s].ids.size(); ++i) positions.push_back(static_cast<std::int32_t>(i));
    offsets.push_back(static_cast<std::int32_t>(ids.size()));
    labels.push_back(all[s].label);
  }
  return make_batch({ids, positions, types, offsets, labels}, config, at::kCPU);
}

// What the reference libraries computed: expected.safetensors, by name.
class Expected {
 public:
  explicit Expected(const std::string& kind)
      : tensors_(load_safetensors(folder(kind) / "expected.safetensors").tensors) {}
  at::Tensor operator[](const std::string& name) const {
    const TensorView* view = tensors_.find(name);
    if (view == nullptr) throw std::out_of_range("expected.safetensors has no " + name);
    return io::tensor_from(*view, tensors_.owner);
  }

 private:
  NamedTensors tensors_;
};

inline double max_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.detach() - b.detach()).abs().max().item<double>();
}

// Largest difference, relative to the largest expected value.
inline double relative_difference(const at::Tensor& found, const at::Tensor& expected) {
  return max_difference(found, expected) / expected.detach().abs().max().item<double>();
}

// The entries that make_fixtures.py keeps of a gradient.
inline at::Tensor sampled(const at::Tensor& gradient) {
  constexpr std::int64_t most = 64;
  const std::int64_t count = gradient.numel();
  const std::int64_t kept = std::min(most, count);
  const at::Tensor places = at::arange(kept, at::kLong).mul(count).div(kept, "floor");
  return gradient.flatten().index_select(0, places);
}

inline SequenceClassifier load(const std::string& kind) {
  return load_checkpoint(folder(kind), {}).model;
}

// The mean cross-entropy of a batch.
inline at::Tensor loss_of(const SequenceClassifier& model, const Batch& batch, const ForwardOptions& options = {}) {
  return at::cross_entropy_loss(model.forward(batch, options).logits, batch.labels);
}

}  // namespace fedtune::models::golden
