// An encoder with a sequence classification head: BERT, DistilBERT and RoBERTa, written as the papers write them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fedtune/base/random.h"
#include "fedtune/io/parameters.h"
#include "fedtune/models/batch.h"
#include "fedtune/models/config.h"
#include "fedtune/nn/ops.h"

namespace fedtune::models {

struct Family;

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

struct ForwardOptions {
  // Dropout on, drawn from `place` (its `site` is filled in by the model).
  bool training = false;
  StreamKey place{};
  // Return the attention probabilities of every layer, before dropout; the last layer then keeps all its queries.
  bool probabilities = false;
  // Exact for the logits; off only to test that it is.
  bool prune_last_layer = true;
};

struct ForwardResult {
  at::Tensor logits;                      // [sentences, num_labels]
  std::vector<at::Tensor> probabilities;  // per layer [sum of len^2, heads]; empty unless asked for
};

// One tensor of a model: its name in the checkpoint, its shape, and where it lies.
struct TensorSlot {
  std::string name;
  std::vector<std::int64_t> shape;
  at::Tensor* tensor;  // within the model asked
};

// The tensors that lie there, by name.
io::Parameters parameters_at(const std::vector<TensorSlot>& slots);

// A value: copying shares every tensor. A client's model is a copy of the shared frozen base with adapters and a head
// of its own; see peft/lora.h.
class SequenceClassifier {
 public:
  // A model without a family, to be assigned to.
  SequenceClassifier() = default;
  // Every layer with its name, every tensor undefined. `config` must come from parse_config.
  explicit SequenceClassifier(ModelConfig config);

  ModelConfig config;
  const Family* family = nullptr;
  Embeddings embeddings;
  std::vector<EncoderLayer> layers;
  // BERT: pooler.dense with tanh, frozen under LoRA. DistilBERT: pre_classifier with ReLU, and RoBERTa:
  // classifier.dense with tanh, trained as part of the head.
  Linear head_dense;
  Linear classifier;

  // Safe to call from several threads on one model. Rows are tokens, packed; see batch.h.
  ForwardResult forward(const Batch& batch, const ForwardOptions& options) const;

  // Every tensor of the checkpoint (adapters are not), in the order of the reference's state_dict.
  std::vector<TensorSlot> slots();
  io::Parameters parameters() const;
  // Every linear layer, in the same order.
  std::vector<Linear*> linears();
  std::vector<const Linear*> linears() const;
  // The layers trained and sent in full beside adapters: `classifier`, and `head_dense` where the family trains it.
  std::vector<Linear*> head();
  std::vector<const Linear*> head() const;
};

}  // namespace fedtune::models
