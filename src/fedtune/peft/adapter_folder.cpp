#include "fedtune/peft/adapter_folder.h"

#include <algorithm>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/nearest.h"
#include "fedtune/format/json_file.h"
#include "fedtune/format/safetensors.h"
#include "fedtune/models/family.h"
#include "fedtune/peft/adapter_config.h"

namespace fedtune::peft {
namespace {

using models::SequenceClassifier;

std::vector<std::string> names_of(const io::Parameters& parameters) {
  std::vector<std::string> names;
  names.reserve(parameters.size());
  for (const auto& parameter : parameters) names.push_back(parameter.name);
  return names;
}

std::vector<std::string> names_of(const NamedTensors& tensors) {
  std::vector<std::string> names;
  names.reserve(tensors.tensors.size());
  for (const TensorView& view : tensors.tensors) names.push_back(view.name);
  return names;
}

std::string hint(const std::string& name, const std::vector<std::string>& candidates) {
  const std::string nearest = nearest_name(name, candidates);
  return nearest.empty() ? "" : fmt::format("; the nearest name is {}", nearest);
}

// Whether the file holds a head: any tensor of one counts, so that an incomplete head is reported as such.
TrainHead head_in(const NamedTensors& stored, const SequenceClassifier& model) {
  for (const models::Linear* layer : model.head()) {
    for (const char* part : {".weight", ".bias"}) {
      if (stored.find("base_model.model." + layer->name + part) != nullptr) return TrainHead::full;
    }
  }
  return TrainHead::none;
}

void assign_by_name(const io::Parameters& parameters, const NamedTensors& stored, const std::string& file) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : parameters) {
    const TensorView* view = stored.find(name);
    const std::string expected = shape_text(tensor.sizes().vec());
    if (view == nullptr) {
      throw input_error("{}: {} {} is missing{}", file, name, expected, hint(name, names_of(stored)));
    }
    const at::Tensor value = io::tensor_from(*view, stored.owner);
    if (!value.is_floating_point() || value.sizes() != tensor.sizes()) {
      throw input_error("{}: {} is {} {}, expected F32 {}", file, name, dtype_name(view->dtype),
                        shape_text(view->shape), expected);
    }
    at::Tensor(tensor).copy_(value);
  }
}

void require_known(const NamedTensors& stored, const std::vector<std::string>& known, const std::string& file) {
  for (const TensorView& view : stored.tensors) {
    if (std::find(known.begin(), known.end(), view.name) != known.end()) continue;
    throw input_error("{}: {} {} is unexpected{}", file, view.name, shape_text(view.shape), hint(view.name, known));
  }
}

// Targets that do not fit the model are the folder's fault here, not the command line's.
void inject_as_found(SequenceClassifier& model, const LoraConfig& config, const std::string& file) {
  try {
    inject(model, config, 0);
  } catch (const Error& error) {
    throw input_error("{}: {}", file, error.what());
  }
}

}  // namespace

void save_adapter(const std::filesystem::path& folder, const SequenceClassifier& model, const LoraConfig& config,
                  const std::string& base_name) {
  SequenceClassifier dense = model;
  LoraConfig saved = config;
  if (config.train_head == TrainHead::low_rank) {
    for (models::Linear* layer : dense.head()) {
      layer->weight.weight = merged_weight(*layer);
      layer->lora.reset();
    }
    saved.train_head = TrainHead::full;
  }
  AdapterContext context{.base_name = base_name, .target_modules = config.target_modules, .modules_to_save = {}};
  if (context.target_modules.empty()) context.target_modules = default_targets(model);
  if (config.train_head != TrainHead::none) context.modules_to_save = model.family->head_modules;

  create_folders(folder);
  save_safetensors(folder / "adapter_model.safetensors", io::named_tensors_from(adapter_parameters(dense, saved)),
                   {{"format", "pt"}});
  write_file_atomically(folder / "adapter_config.json", adapter_config_to_save(saved, context).dump(2) + "\n");
}

LoraConfig load_adapter(const std::filesystem::path& folder, SequenceClassifier& model) {
  const auto config_file = folder / "adapter_config.json";
  LoraConfig config = parse_adapter_config(load_json(config_file), config_file.string());
  const auto weights =
      find_weights(folder, {.safetensors = "adapter_model.safetensors", .pickle = "adapter_model.bin"});
  const NamedTensors stored = load_safetensors(weights).tensors;

  config.train_head = head_in(stored, model);
  SequenceClassifier changed = model;
  inject_as_found(changed, config, config_file.string());
  const io::Parameters parameters = adapter_parameters(changed, config);
  assign_by_name(parameters, stored, weights.string());
  require_known(stored, names_of(parameters), weights.string());
  model = std::move(changed);
  return config;
}

}  // namespace fedtune::peft
