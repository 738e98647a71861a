// What a Hugging Face config.json says, for encoders with a classification head.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace fedtune::models {

struct ModelConfig {
  std::string model_type;  // key into the registry: "bert", "distilbert"
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t layers = 0;
  std::int64_t heads = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t max_positions = 0;
  std::int64_t type_vocab_size = 0;  // 0: no token types
  std::int64_t pad_token_id = 0;
  double layer_norm_eps = 1e-12;
  double hidden_dropout = 0.1;
  double attention_dropout = 0.1;
  double classifier_dropout = 0.1;  // as the architecture's default rules resolve it
  double initializer_range = 0.02;  // standard deviation of fresh weights
  std::int64_t num_labels = 2;
  // The file as it was read; written back on save with architectures, num_labels and id2label brought up to date.
  nlohmann::json source;

  std::int64_t head_dim() const { return hidden_size / heads; }
};

}  // namespace fedtune::models
