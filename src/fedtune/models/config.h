// What a Hugging Face config.json says, for encoders with a classification head.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

namespace fedtune::models {

struct ModelConfig {
  std::string model_type{};  // key into the registry: "bert", "distilbert"
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t layers = 0;
  std::int64_t heads = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t max_positions = 0;
  std::int64_t type_vocab_size = 0;  // 0: no token types
  std::int64_t pad_token_id = 0;
  double layer_norm_eps = 1e-12;
  double hidden_dropout = 0.1;            // on the embeddings and the feed-forward output
  double attention_output_dropout = 0.1;  // on the attention's output projection; DistilBERT has none
  double attention_dropout = 0.1;         // on the attention probabilities
  double classifier_dropout = 0.1;        // as the architecture's default rules resolve it
  double initializer_range = 0.02;        // standard deviation of fresh weights
  std::int64_t num_labels = 2;
  // The file as it was read; written back on save with architectures, num_labels and id2label brought up to date.
  nlohmann::json source{};

  std::int64_t head_dim() const { return hidden_size / heads; }
};

// Reads and validates config.json. Throws Error(input) naming the file, the key, what was found and what was expected:
// an unknown model_type, a missing size, hidden size not divisible by heads, an activation or position scheme that is
// not computed here.
ModelConfig read_config(const std::filesystem::path& file);
// The same from a parsed object; `file` is for messages.
ModelConfig parse_config(const nlohmann::json& source, const std::string& file);

// The object to save: `source` with the head and the type of the numbers brought up to date.
nlohmann::json config_to_save(const ModelConfig& config);

}  // namespace fedtune::models
