#include "fedtune/models/bert/bert.h"

namespace fedtune::models {
namespace {

ModelConfig read_bert_config(const ConfigReader& reader) {
  reader.require_text("hidden_act", "gelu");
  reader.require_text("position_embedding_type", "absolute");
  reader.require_false("is_decoder");
  reader.require_false("add_cross_attention");

  ModelConfig config;
  config.vocab_size = reader.size("vocab_size");
  config.hidden_size = reader.size("hidden_size");
  config.layers = reader.size("num_hidden_layers");
  config.heads = reader.size("num_attention_heads");
  config.intermediate_size = reader.size("intermediate_size");
  config.max_positions = reader.size("max_position_embeddings");
  config.type_vocab_size = reader.size("type_vocab_size");
  config.pad_token_id = reader.count_or("pad_token_id", 0);
  config.layer_norm_eps = reader.positive_or("layer_norm_eps", 1e-12);
  config.hidden_dropout = reader.probability_or("hidden_dropout_prob", 0.1);
  config.attention_output_dropout = config.hidden_dropout;
  config.attention_dropout = reader.probability_or("attention_probs_dropout_prob", 0.1);
  config.classifier_dropout = reader.probability_or("classifier_dropout", config.hidden_dropout);
  config.initializer_range = reader.positive_or("initializer_range", 0.02);
  return config;
}

}  // namespace

const Family& bert() {
  static const Family family{
      .model_type = "bert",
      .architecture = "BertForSequenceClassification",
      .prefix = "bert.",
      .names = {.word = "bert.embeddings.word_embeddings",
                .position = "bert.embeddings.position_embeddings",
                .type = "bert.embeddings.token_type_embeddings",
                .embeddings_norm = "bert.embeddings.LayerNorm",
                .layer = "bert.encoder.layer.{}.",
                .query = "attention.self.query",
                .key = "attention.self.key",
                .value = "attention.self.value",
                .attention_output = "attention.output.dense",
                .attention_norm = "attention.output.LayerNorm",
                .intermediate = "intermediate.dense",
                .output = "output.dense",
                .output_norm = "output.LayerNorm",
                .head_dense = "bert.pooler.dense",
                .classifier = "classifier"},
      .head_activation = HeadActivation::tanh,
      .trains_head_dense = false,
      .head_modules = {"classifier"},
      .lora_targets = {"query", "value"},
      .skipped_prefixes = {"cls."},
      .read_config = read_bert_config,
  };
  return family;
}

}  // namespace fedtune::models
