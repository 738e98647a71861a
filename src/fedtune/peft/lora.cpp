#include "fedtune/peft/lora.h"

#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>
#include <fmt/ranges.h>

#include "fedtune/base/error.h"
#include "fedtune/base/nearest.h"
#include "fedtune/models/family.h"

namespace fedtune::peft {
namespace {

using models::Linear;
using models::SequenceClassifier;

constexpr const char* name_prefix = "base_model.model.";

bool matches(const std::string& name, const std::string& target) {
  return name == target || name.ends_with("." + target);
}

bool is_head(SequenceClassifier& model, const Linear* layer) {
  const auto head = model.head();
  return std::find(head.begin(), head.end(), layer) != head.end();
}

std::string last_part(const std::string& name) {
  return name.substr(name.rfind('.') + 1);
}

[[noreturn]] void refuse_target(SequenceClassifier& model, const std::string& target) {
  std::vector<std::string> names;
  for (const Linear* layer : model.linears()) {
    const std::string part = last_part(layer->name);
    if (!is_head(model, layer) && std::find(names.begin(), names.end(), part) == names.end()) names.push_back(part);
  }
  const std::string nearest = nearest_name(target, names);
  throw usage_error("target module \"{}\" matches no linear layer of this {}{}; its layers end in: {}", target,
                    model.config.model_type, nearest.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", nearest),
                    fmt::join(names, ", "));
}

void require_valid(const LoraConfig& config) {
  if (config.r < 1) throw usage_error("LoRA rank is {}, expected at least 1", config.r);
  if (!(config.alpha > 0.0) || !std::isfinite(config.alpha)) {
    throw usage_error("LoRA alpha is {}, expected a number above 0", config.alpha);
  }
  if (!(config.dropout >= 0.0 && config.dropout < 1.0)) {
    throw usage_error("LoRA dropout is {}, expected a number in [0, 1)", config.dropout);
  }
}

// Whether each linear layer, in the model's order, gets an adapter.
std::vector<bool> find_targets(SequenceClassifier& model, const LoraConfig& config) {
  const auto& targets = config.target_modules.empty() ? default_targets(model) : config.target_modules;
  const auto linears = model.linears();
  std::vector<bool> chosen(linears.size(), false);
  for (const std::string& target : targets) {
    bool found = false;
    for (std::size_t i = 0; i < linears.size(); ++i) {
      if (!matches(linears[i]->name, target)) continue;
      if (is_head(model, linears[i])) {
        throw usage_error("target module \"{}\" is the head's {}; see --train-head for how the head is trained", target,
                          linears[i]->name);
      }
      chosen[i] = found = true;
    }
    if (!found) refuse_target(model, target);
  }
  return chosen;
}

at::Tensor trained(const at::Tensor& tensor) {
  return tensor.requires_grad_(true);
}

// The stream's place is the layer's number among all linear layers, so that other targets do not change its draw.
models::Lora fresh_adapter(const Linear& layer, const LoraConfig& config, const StreamKey& place) {
  const std::int64_t in = layer.weight.in();
  const std::int64_t out = layer.weight.out();
  if (config.r > std::min(in, out)) {
    throw usage_error("LoRA rank is {}, expected at most {}, the smaller side of {}'s matrix", config.r,
                      std::min(in, out), layer.name);
  }
  const auto options = layer.weight.weight.options();
  at::Tensor a = at::empty({config.r, in}, options.device(at::kCPU));
  const double bound = 1.0 / std::sqrt(static_cast<double>(in));  // sqrt(6 / ((1 + 5) in))
  RandomStream stream(place);
  float* values = a.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < a.numel(); ++i) values[i] = static_cast<float>(bound * (2.0 * stream.uniform() - 1.0));

  const at::Tensor b = at::zeros({out, config.r}, options);
  return {.weight = {.a = trained(a.to(options.device())), .b = trained(b), .scale = config.scale()},
          .dropout = config.dropout};
}

bool is_factored(const SequenceClassifier& model, const Linear& layer, const LoraConfig& config) {
  return config.train_head == TrainHead::low_rank && &layer == &model.head_dense;
}

void train_in_full(Linear& layer) {
  layer.weight.weight = trained(layer.weight.weight.detach().clone());
  layer.weight.bias = trained(layer.weight.bias.detach().clone());
  layer.weight.packed.reset();
}

void add_slot(std::vector<models::TensorSlot>& list, const std::string& name, at::Tensor& tensor) {
  list.push_back({.name = name_prefix + name, .shape = tensor.sizes().vec(), .tensor = &tensor});
}

void add_adapter(std::vector<models::TensorSlot>& list, const std::string& layer, models::Lora& lora) {
  add_slot(list, layer + ".lora_A.weight", lora.weight.a);
  add_slot(list, layer + ".lora_B.weight", lora.weight.b);
}

}  // namespace

const std::vector<std::string>& default_targets(const SequenceClassifier& model) {
  return model.family->lora_targets;
}

void inject(SequenceClassifier& model, const LoraConfig& config, std::uint64_t seed) {
  require_valid(config);
  const auto chosen = find_targets(model, config);
  const auto linears = model.linears();
  for (std::size_t i = 0; i < linears.size(); ++i) {
    Linear& layer = *linears[i];
    const StreamKey place{.seed = seed, .purpose = Purpose::lora_init, .site = static_cast<std::uint32_t>(i)};
    if (is_head(model, &layer)) {
      if (config.train_head == TrainHead::none) continue;
      if (is_factored(model, layer, config)) {
        layer.lora = fresh_adapter(layer, config, place);
        layer.weight.bias = trained(layer.weight.bias.detach().clone());
      } else {
        train_in_full(layer);
      }
    } else if (chosen[i]) {
      layer.lora = fresh_adapter(layer, config, place);
    }
  }
}

std::vector<models::TensorSlot> adapter_slots(SequenceClassifier& model, const LoraConfig& config) {
  const auto head = model.head();
  std::vector<models::TensorSlot> list;
  for (Linear* layer : model.linears()) {
    if (std::find(head.begin(), head.end(), layer) == head.end()) {
      if (layer->lora) add_adapter(list, layer->name, *layer->lora);
      continue;
    }
    if (config.train_head == TrainHead::none) continue;
    if (layer->lora) {
      add_adapter(list, layer->name, *layer->lora);
    } else {
      add_slot(list, layer->name + ".weight", layer->weight.weight);
    }
    add_slot(list, layer->name + ".bias", layer->weight.bias);
  }
  return list;
}

io::Parameters adapter_parameters(const SequenceClassifier& model, const LoraConfig& config) {
  SequenceClassifier shared = model;
  return models::parameters_at(adapter_slots(shared, config));
}

at::Tensor merged_weight(const Linear& layer) {
  const at::NoGradGuard no_grad;
  at::Tensor weight = layer.weight.weight.detach();
  if (!layer.lora) return weight;
  const nn::LoraWeight& lora = layer.lora->weight;
  return weight + lora.scale * at::matmul(lora.b, lora.a);  // [out, r] [r, in]
}

SequenceClassifier merged(const SequenceClassifier& model) {
  SequenceClassifier copy = model;
  for (const models::TensorSlot& slot : copy.slots()) *slot.tensor = slot.tensor->detach();
  for (Linear* layer : copy.linears()) {
    layer->weight.weight = merged_weight(*layer);
    layer->weight.packed.reset();
    layer->lora.reset();
  }
  return copy;
}

}  // namespace fedtune::peft
