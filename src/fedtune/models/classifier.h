// An encoder with a sequence classification head: BERT and DistilBERT, written as the papers write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fedtune/base/random.h"
#include "fedtune/io/parameters.h"
#include "fedtune/models/config.h"
#include "fedtune/nn/ops.h"

namespace fedtune::models {

// The adapter of one linear layer.
struct Lora {
  nn::LoraWeight weight;
  double dropout = 0.0;
};

// A linear layer with its full name in the checkpoint ("distilbert.transformer.layer.0.attention.q_lin").
struct Linear {
  std::string name;
  nn::LinearWeight weight;
  std::optional<Lora> lora;
};

struct LayerNorm {
  std::string name;
  nn::LayerNormWeight weight;
};

struct EncoderLayer {
  Linear query, key, value, attention_output;
  LayerNorm attention_norm;
  Linear intermediate, output;
  LayerNorm output_norm;
};

struct Embeddings {
  std::string word_name, position_name, type_name;
  nn::EmbeddingWeight weight;
  std::string norm_name;
};

// A packed batch on the device of the model.
struct Batch {
  nn::EmbeddingIndex index;
  at::Tensor offsets;    // int32 [sentences + 1], CPU
  at::Tensor first_rows; // int64 [sentences], device: offsets[0 .. sentences-1]
  at::Tensor first_row_ids;  // int32 [sentences], CPU: the same, for dropout counters
  at::Tensor labels;     // int64 [sentences], device
  std::int64_t tokens = 0;
  std::int64_t sentences = 0;
};

struct ForwardOptions {
  // Dropout on, drawn from `place` (its `site` is filled in by the model).
  bool training = false;
  StreamKey place;
  // Return the attention probabilities of every layer, before dropout; the last layer then keeps all its queries.
  bool probabilities = false;
  // Exact for the logits; off only to test that it is.
  bool prune_last_layer = true;
};

struct ForwardResult {
  at::Tensor logits;                      // [sentences, num_labels]
  std::vector<at::Tensor> probabilities;  // per layer [sum of len^2, heads]; empty unless asked for
};

// A value: copying shares every tensor. A client's model is a copy of the shared frozen base with adapters and a head of
// its own; see peft/lora.h.
class SequenceClassifier {
 public:
  ModelConfig config;
  Embeddings embeddings;
  std::vector<EncoderLayer> layers;
  // BERT: pooler.dense with tanh, frozen under LoRA. DistilBERT: pre_classifier with ReLU, trained as part of the head.
  Linear head_dense;
  Linear classifier;

  ForwardResult forward(const Batch& batch, const ForwardOptions& options) const;

  // Every tensor under its checkpoint name, in the order of the reference's state_dict.
  io::Parameters parameters() const;
  // Every linear layer, in the same order.
  std::vector<Linear*> linears();
  // The modules trained and sent in full beside adapters ("pre_classifier", "classifier" or "classifier").
  std::vector<Linear*> head();
};

}  // namespace fedtune::models
