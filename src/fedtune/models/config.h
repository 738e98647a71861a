// What a Hugging Face config.json says, for encoders with a classification head.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

namespace fedtune::models {

struct ModelConfig {
  std::string model_type{};  // key into the registry: "bert", "distilbert", "roberta"
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t layers = 0;
  std::int64_t heads = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t max_positions = 0;
  std::int64_t type_vocab_size = 0;  // 0: no token types
  std::int64_t pad_token_id = 0;
  // Of a sentence's first token. RoBERTa's is pad_token_id + 1: its position pad_token_id is that of padding tokens,
  // which do not count.
  std::int64_t first_position = 0;
  double layer_norm_eps = 1e-12;
  double hidden_dropout = 0.1;            // on the embeddings and the feed-forward output
  double attention_output_dropout = 0.1;  // on the attention's output projection; DistilBERT has none
  double attention_dropout = 0.1;         // on the attention probabilities
  double head_input_dropout = 0.0;        // on what head_dense reads: RoBERTa's
  double classifier_dropout = 0.1;  // on what the classifier reads; as the architecture's default rules resolve it
  double initializer_range = 0.02;  // standard deviation of fresh weights
  std::int64_t num_labels = 2;
  // The file as it was read; written back on save with architectures, num_labels and id2label brought up to date.
  nlohmann::json source{};

  std::int64_t head_dim() const { return hidden_size / heads; }
  // Tokens of the longest sentence that the positions reach.
  std::int64_t longest_sentence() const { return max_positions - first_position; }
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
