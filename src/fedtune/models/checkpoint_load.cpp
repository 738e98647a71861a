#include <algorithm>
#include <map>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "fedtune/base/error.h"
#include "fedtune/base/nearest.h"
#include "fedtune/base/random.h"
#include "fedtune/io/weight_files.h"
#include "fedtune/models/checkpoint.h"
#include "fedtune/models/family.h"

namespace fedtune::models {
namespace {

bool replace_ending(std::string& name, std::string_view from, std::string_view to) {
  if (!name.ends_with(from)) return false;
  name.replace(name.size() - from.size(), from.size(), to);
  return true;
}

bool starts_with_any(std::string_view name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const auto& prefix) { return name.starts_with(prefix); });
}

// The tensors of a checkpoint under the names that transformers gives them today.
class StoredTensors {
 public:
  StoredTensors(const io::WeightFiles& weights, const Family& family) : family_(family) {
    for (const io::StoredTensor& tensor : weights.tensors) {
      if (is_skipped(tensor.view.name)) {
        skipped_.push_back(tensor.view.name);
        continue;
      }
      const auto [other, is_new] = by_name_.emplace(current_name(tensor.view.name), &tensor);
      if (!is_new) {
        throw input_error("{} and {} are two tensors for {}, expected one", other->second->view.name, tensor.view.name,
                          other->first);
      }
    }
  }

  bool has(const std::string& name) const { return by_name_.contains(name); }
  bool has_any(const Linear& layer) const { return has(layer.name + ".weight") || has(layer.name + ".bias"); }
  const std::vector<std::string>& skipped() const { return skipped_; }

  // The slot's tensor, in fp32; it is then no longer among the unexpected ones.
  at::Tensor take(const TensorSlot& slot) {
    const auto found = by_name_.find(slot.name);
    if (found == by_name_.end()) {
      throw input_error("{} {} is missing{}", slot.name, shape_text(slot.shape), hint(slot.name, names()));
    }
    const io::StoredTensor& stored = *found->second;
    const DType dtype = stored.view.dtype;
    const bool real = dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16 || dtype == DType::f64;
    if (!real || stored.view.shape != slot.shape) {
      throw input_error("{}: {} is {} {}, expected F32 {}", stored.file, stored.view.name, dtype_name(dtype),
                        shape_text(stored.view.shape), shape_text(slot.shape));
    }
    by_name_.erase(found);
    return io::tensor_from(stored.view, stored.owner);
  }

  // Throws for the first tensor that was not taken.
  void require_empty(const std::vector<TensorSlot>& expected) const {
    if (by_name_.empty()) return;
    std::vector<std::string> known;
    known.reserve(expected.size());
    for (const TensorSlot& slot : expected) known.push_back(slot.name);
    const auto& [name, stored] = *by_name_.begin();
    throw input_error("{}: {} {} is unexpected{}", stored->file, stored->view.name, shape_text(stored->view.shape),
                      hint(name, known));
  }

 private:
  bool is_skipped(const std::string& name) const {
    return name.ends_with("embeddings.position_ids") || starts_with_any(name, family_.skipped_prefixes);
  }

  // Adds the prefix that encoders without a head leave out; renames the oldest checkpoints' LayerNorm.
  std::string current_name(std::string name) const {
    const bool of_head =
        name.starts_with(family_.names.classifier + ".") || name.starts_with(family_.names.head_dense + ".");
    if (!of_head && !name.starts_with(family_.prefix)) name = family_.prefix + name;
    if (!replace_ending(name, "LayerNorm.gamma", "LayerNorm.weight")) {
      replace_ending(name, "LayerNorm.beta", "LayerNorm.bias");
    }
    return name;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    all.reserve(by_name_.size());
    for (const auto& [name, stored] : by_name_) all.push_back(name);
    return all;
  }

  static std::string hint(const std::string& name, const std::vector<std::string>& candidates) {
    const std::string nearest = nearest_name(name, candidates);
    return nearest.empty() ? "" : fmt::format("; the nearest name is {}", nearest);
  }

  const Family& family_;
  std::map<std::string, const io::StoredTensor*> by_name_;
  std::vector<std::string> skipped_;
};

// Draws fresh weights where the file has none: normal with the configured deviation, biases 0.
void initialise(Linear& layer, const StreamKey& place, const ModelConfig& config, std::int64_t out) {
  RandomStream stream(place);
  layer.weight.weight = at::empty({out, config.hidden_size});
  float* values = layer.weight.weight.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < layer.weight.weight.numel(); ++i) {
    values[i] = static_cast<float>(config.initializer_range * stream.normal());
  }
  layer.weight.bias = at::zeros({out});
}

void initialise_missing(SequenceClassifier& model, const LoadOptions& options) {
  StreamKey place{.seed = options.seed, .purpose = Purpose::head_init, .role = options.role};
  if (!model.head_dense.weight.weight.defined()) {
    initialise(model.head_dense, place, model.config, model.config.hidden_size);
  }
  place.site = 1;
  initialise(model.classifier, place, model.config, model.config.num_labels);
}

// Settles how many classes the model has. True when the file has no head.
bool settle_head(ModelConfig& config, const StoredTensors& stored, const LoadOptions& options) {
  const SequenceClassifier named(config);
  const auto head = named.head();
  const bool missing =
      std::none_of(head.begin(), head.end(), [&](const Linear* layer) { return stored.has_any(*layer); });
  if (missing && !options.initialise_head) {
    throw input_error("the checkpoint has no classification head (no {}.weight); fine-tune it first",
                      head.front()->name);
  }
  const std::int64_t wanted = options.num_labels == 0 ? config.num_labels : options.num_labels;
  if (!missing && wanted != config.num_labels) {
    throw input_error("the checkpoint's head tells {} classes apart, the data has {}", config.num_labels, wanted);
  }
  config.num_labels = wanted;
  return missing;
}

LoadedModel load(const std::filesystem::path& folder, const LoadOptions& options) {
  ModelConfig config = read_config(folder / "config.json");
  const Family& family = family_of(config.model_type, "config.json");
  const io::WeightFiles weights = io::open_weights(folder);
  StoredTensors stored(weights, family);

  LoadedModel loaded;
  loaded.sha256 = weights.sha256;
  loaded.skipped = stored.skipped();
  loaded.head_initialised = settle_head(config, stored, options);
  loaded.model = SequenceClassifier(std::move(config));

  SequenceClassifier& model = loaded.model;
  const bool without_dense = loaded.head_initialised && !stored.has_any(model.head_dense);
  const auto slots = model.slots();
  for (const TensorSlot& slot : slots) {
    const bool of_classifier =
        slot.tensor == &model.classifier.weight.weight || slot.tensor == &model.classifier.weight.bias;
    const bool of_dense =
        slot.tensor == &model.head_dense.weight.weight || slot.tensor == &model.head_dense.weight.bias;
    if ((loaded.head_initialised && of_classifier) || (without_dense && of_dense)) continue;
    *slot.tensor = stored.take(slot);
  }
  stored.require_empty(slots);
  if (loaded.head_initialised) initialise_missing(model, options);
  return loaded;
}

}  // namespace

LoadedModel load_checkpoint(const std::filesystem::path& folder, const LoadOptions& options) {
  return with_context("loading " + folder.string(), [&] { return load(folder, options); });
}

}  // namespace fedtune::models
