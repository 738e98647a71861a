// A small random encoder and a small task it can learn: what the tests of training, schemes and workers run on.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <ATen/ops/from_blob.h>
#include <nlohmann/json.hpp>

#include "fedtune/base/random.h"
#include "fedtune/data/batch.h"
#include "fedtune/models/classifier.h"
#include "fedtune/models/config.h"
#include "fedtune/train/student.h"

namespace fedtune::train::testing {

inline at::Tensor random_tensor(const std::vector<std::int64_t>& shape, std::uint32_t site, double deviation) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  RandomStream stream({.purpose = Purpose::test, .site = site});
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(deviation * stream.normal());
  return at::from_blob(values.data(), shape, at::kFloat).clone();
}

inline models::SequenceClassifier random_model(const nlohmann::json& config) {
  models::SequenceClassifier model(models::parse_config(config, "config.json"));
  std::uint32_t site = 0;
  for (const models::TensorSlot& slot : model.slots()) {
    const bool norm = slot.name.find("orm.weight") != std::string::npos;
    *slot.tensor = random_tensor(slot.shape, site++, norm ? 0.05 : 0.15);
    if (norm) slot.tensor->add_(1.0);
  }
  return model;
}

// DistilBERT or BERT with layers of 16 features and 2 heads, 40 words.
inline models::SequenceClassifier tiny_model(const std::string& type = "distilbert", int layers = 2) {
  const nlohmann::json distilbert = {{"model_type", "distilbert"},   {"vocab_size", 40}, {"dim", 16},
                                     {"n_layers", layers},           {"n_heads", 2},     {"hidden_dim", 32},
                                     {"max_position_embeddings", 12}};
  const nlohmann::json bert = {{"model_type", "bert"},          {"vocab_size", 40},         {"hidden_size", 16},
                               {"num_hidden_layers", layers},   {"num_attention_heads", 2}, {"intermediate_size", 32},
                               {"max_position_embeddings", 12}, {"type_vocab_size", 2}};
  return random_model(type == "bert" ? bert : distilbert);
}

inline StudentTemplate tiny_student(Trained trained, std::uint64_t seed = 0) {
  return {tiny_model(), {.trained = trained, .lora = {.r = 4}, .seed = seed}};
}

// Sentences of 3 to 9 ids whose label says whether the word after the first is one of the upper half.
inline std::vector<data::Example> tiny_task(std::uint32_t sentences, std::uint32_t seed = 1) {
  RandomStream stream({.seed = seed, .purpose = Purpose::test});
  std::vector<data::Example> examples(sentences);
  for (data::Example& example : examples) {
    example.ids.resize(3 + stream.below(7));
    for (std::int32_t& id : example.ids) id = static_cast<std::int32_t>(2 + stream.below(38));
    example.ids.front() = 1;
    example.label = example.ids[1] >= 21 ? 1 : 0;
  }
  return examples;
}

// Whether names, types, shapes and bytes are the same.
inline bool same_bits(const NamedTensors& left, const NamedTensors& right) {
  if (layout_of(left) != layout_of(right)) return false;
  for (std::size_t i = 0; i < left.tensors.size(); ++i) {
    const auto& a = left.tensors[i].bytes;
    const auto& b = right.tensors[i].bytes;
    if (a.size() != b.size() || std::memcmp(a.data(), b.data(), a.size()) != 0) return false;
  }
  return true;
}

}  // namespace fedtune::train::testing
