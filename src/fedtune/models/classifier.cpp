#include "fedtune/models/classifier.h"

#include <utility>

#include <fmt/format.h>

#include "fedtune/models/family.h"

namespace fedtune::models {
namespace {

EncoderLayer named_layer(const TensorNames& names, std::int64_t index, double eps) {
  const std::string layer = fmt::format(fmt::runtime(names.layer), index);
  EncoderLayer result;
  result.query.name = layer + names.query;
  result.key.name = layer + names.key;
  result.value.name = layer + names.value;
  result.attention_output.name = layer + names.attention_output;
  result.attention_norm.name = layer + names.attention_norm;
  result.attention_norm.weight.eps = eps;
  result.intermediate.name = layer + names.intermediate;
  result.output.name = layer + names.output;
  result.output_norm.name = layer + names.output_norm;
  result.output_norm.weight.eps = eps;
  return result;
}

// Rows and columns of a weight matrix.
struct Size {
  std::int64_t out;
  std::int64_t in;
};

// Collects slots in the order in which it is told of layers.
class SlotList {
 public:
  void add(const std::string& name, std::vector<std::int64_t> shape, at::Tensor& tensor) {
    slots_.push_back({name, std::move(shape), &tensor});
  }
  void add(Linear& linear, Size size) {
    add(linear.name + ".weight", {size.out, size.in}, linear.weight.weight);
    add(linear.name + ".bias", {size.out}, linear.weight.bias);
  }
  void add(const std::string& name, nn::LayerNormWeight& norm, std::int64_t features) {
    add(name + ".weight", {features}, norm.gamma);
    add(name + ".bias", {features}, norm.beta);
  }
  std::vector<TensorSlot> take() { return std::move(slots_); }

 private:
  std::vector<TensorSlot> slots_;
};

template <typename Model, typename Pointer>
std::vector<Pointer> linears_of(Model& model) {
  std::vector<Pointer> all;
  for (auto& layer : model.layers) {
    all.insert(all.end(),
               {&layer.query, &layer.key, &layer.value, &layer.attention_output, &layer.intermediate, &layer.output});
  }
  all.insert(all.end(), {&model.head_dense, &model.classifier});
  return all;
}

template <typename Model, typename Pointer>
std::vector<Pointer> head_of(Model& model) {
  if (model.family->trains_head_dense) return {&model.head_dense, &model.classifier};
  return {&model.classifier};
}

}  // namespace

SequenceClassifier::SequenceClassifier(ModelConfig configuration)
    : config(std::move(configuration)), family(&family_of(config.model_type, "model")) {
  const TensorNames& names = family->names;
  embeddings.word_name = names.word;
  embeddings.position_name = names.position;
  embeddings.type_name = names.type;
  embeddings.norm_name = names.embeddings_norm;
  embeddings.weight.norm.eps = config.layer_norm_eps;
  for (std::int64_t i = 0; i < config.layers; ++i) layers.push_back(named_layer(names, i, config.layer_norm_eps));
  head_dense.name = names.head_dense;
  classifier.name = names.classifier;
}

io::Parameters parameters_at(const std::vector<TensorSlot>& slots) {
  io::Parameters parameters;
  parameters.reserve(slots.size());
  for (const TensorSlot& slot : slots) parameters.push_back({slot.name, *slot.tensor});
  return parameters;
}

std::vector<TensorSlot> SequenceClassifier::slots() {
  const std::int64_t hidden = config.hidden_size;
  SlotList list;
  list.add(embeddings.word_name + ".weight", {config.vocab_size, hidden}, embeddings.weight.word);
  list.add(embeddings.position_name + ".weight", {config.max_positions, hidden}, embeddings.weight.position);
  if (!embeddings.type_name.empty()) {
    list.add(embeddings.type_name + ".weight", {config.type_vocab_size, hidden}, embeddings.weight.type);
  }
  list.add(embeddings.norm_name, embeddings.weight.norm, hidden);
  const Size square{hidden, hidden};
  for (EncoderLayer& layer : layers) {
    list.add(layer.query, square);
    list.add(layer.key, square);
    list.add(layer.value, square);
    list.add(layer.attention_output, square);
    list.add(layer.attention_norm.name, layer.attention_norm.weight, hidden);
    list.add(layer.intermediate, {config.intermediate_size, hidden});
    list.add(layer.output, {hidden, config.intermediate_size});
    list.add(layer.output_norm.name, layer.output_norm.weight, hidden);
  }
  list.add(head_dense, square);
  list.add(classifier, {config.num_labels, hidden});
  return list.take();
}

io::Parameters SequenceClassifier::parameters() const {
  SequenceClassifier shared = *this;
  return parameters_at(shared.slots());
}

std::vector<Linear*> SequenceClassifier::linears() {
  return linears_of<SequenceClassifier, Linear*>(*this);
}

std::vector<const Linear*> SequenceClassifier::linears() const {
  return linears_of<const SequenceClassifier, const Linear*>(*this);
}

std::vector<Linear*> SequenceClassifier::head() {
  return head_of<SequenceClassifier, Linear*>(*this);
}

std::vector<const Linear*> SequenceClassifier::head() const {
  return head_of<const SequenceClassifier, const Linear*>(*this);
}

}  // namespace fedtune::models
