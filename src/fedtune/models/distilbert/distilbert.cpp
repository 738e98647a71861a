#include "fedtune/models/distilbert/distilbert.h"

namespace fedtune::models {
namespace {

ModelConfig read_distilbert_config(const ConfigReader& reader) {
  reader.require_text("activation", "gelu");

  ModelConfig config;
  config.vocab_size = reader.size("vocab_size");
  config.hidden_size = reader.size("dim");
  config.layers = reader.size("n_layers");
  config.heads = reader.size("n_heads");
  config.intermediate_size = reader.size("hidden_dim");
  config.max_positions = reader.size("max_position_embeddings");
  config.pad_token_id = reader.count_or("pad_token_id", 0);
  config.layer_norm_eps = 1e-12;
  config.hidden_dropout = reader.probability_or("dropout", 0.1);
  config.attention_output_dropout = 0.0;
  config.attention_dropout = reader.probability_or("attention_dropout", 0.1);
  config.classifier_dropout = reader.probability_or("seq_classif_dropout", 0.2);
  config.initializer_range = reader.positive_or("initializer_range", 0.02);
  return config;
}

}  // namespace

const Family& distilbert() {
  static const Family family{
      .model_type = "distilbert",
      .architecture = "DistilBertForSequenceClassification",
      .prefix = "distilbert.",
      .names = {.word = "distilbert.embeddings.word_embeddings",
                .position = "distilbert.embeddings.position_embeddings",
                .type = "",
                .embeddings_norm = "distilbert.embeddings.LayerNorm",
                .layer = "distilbert.transformer.layer.{}.",
                .query = "attention.q_lin",
                .key = "attention.k_lin",
                .value = "attention.v_lin",
                .attention_output = "attention.out_lin",
                .attention_norm = "sa_layer_norm",
                .intermediate = "ffn.lin1",
                .output = "ffn.lin2",
                .output_norm = "output_layer_norm",
                .head_dense = "pre_classifier",
                .classifier = "classifier"},
      .head_activation = HeadActivation::relu,
      .trains_head_dense = true,
      .head_modules = {"pre_classifier", "classifier"},
      .lora_targets = {"q_lin", "v_lin"},
      .skipped_prefixes = {"vocab_"},
      .read_config = read_distilbert_config,
  };
  return family;
}

}  // namespace fedtune::models
