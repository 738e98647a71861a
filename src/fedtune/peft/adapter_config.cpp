#include "fedtune/peft/adapter_config.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "fedtune/base/error.h"
#include "fedtune/format/json_file.h"

namespace fedtune::peft {
namespace {

using nlohmann::json;

// Keys that are read here, or that say nothing about the arithmetic. Any other must be off: null, false or empty.
constexpr std::array<std::string_view, 16> understood{
    "auto_mapping",
    "base_model_name_or_path",
    "bias",
    "eva_config",
    "inference_mode",
    "init_lora_weights",
    "lora_alpha",
    "lora_dropout",
    "megatron_core",
    "modules_to_save",
    "peft_type",
    "peft_version",
    "qalora_group_size",
    "r",
    "revision",
    "target_modules",
};

bool is_off(const json& value) {
  return value.is_null() || value == false || (value.is_structured() && value.empty());
}

void refuse_unsupported_options(const json& source, const std::string& file) {
  for (const auto& [key, value] : source.items()) {
    if (key == "task_type" || is_off(value)) continue;
    if (std::find(understood.begin(), understood.end(), key) == understood.end()) {
      throw input_error("{}: {} is {}, which is not supported here; expected it to be off", file, key, value.dump());
    }
  }
  if (const auto bias = optional_or<std::string>(source, "bias", "none", file); bias != "none") {
    throw input_error("{}: bias is \"{}\", expected \"none\", the only one supported", file, bias);
  }
}

// These change the base model's weights before training, so the adapter fits no unchanged base.
void refuse_changed_base(const json& source, const std::string& file) {
  const auto found = source.find("init_lora_weights");
  if (found == source.end() || found->is_null() || found->is_boolean()) return;
  if (*found == "gaussian" || *found == "eva" || *found == "orthogonal") return;
  throw input_error(
      "{}: init_lora_weights is {}, expected one that leaves the base model as it is (true, \"gaussian\")", file,
      found->dump());
}

void require_number(bool valid, std::string_view key, double found, const std::string& file) {
  if (!valid) throw input_error("{}: {} is {}, which is out of range", file, key, found);
}

std::vector<std::string> read_targets(const json& source, const std::string& file) {
  const auto found = source.find("target_modules");
  if (found != source.end() && found->is_string()) {
    throw input_error("{}: target_modules is the pattern {}, expected a list of names", file, found->dump());
  }
  auto targets = required<std::vector<std::string>>(source, "target_modules", file);
  if (targets.empty()) throw input_error("{}: target_modules is empty, expected the names of linear layers", file);
  return targets;
}

}  // namespace

LoraConfig parse_adapter_config(const json& source, const std::string& file) {
  if (!source.is_object()) throw input_error("{}: expected a JSON object of adapter settings", file);
  const auto method = required<std::string>(source, "peft_type", file);
  if (method != "LORA")
    throw input_error("{}: peft_type is \"{}\", expected \"LORA\", the only one supported", file, method);
  const auto task = optional_or<std::string>(source, "task_type", "SEQ_CLS", file);
  if (task != "SEQ_CLS") throw input_error("{}: task_type is \"{}\", expected \"SEQ_CLS\"", file, task);
  refuse_unsupported_options(source, file);
  refuse_changed_base(source, file);

  LoraConfig config;
  config.r = required<std::int64_t>(source, "r", file);
  config.alpha = required<double>(source, "lora_alpha", file);
  config.dropout = optional_or<double>(source, "lora_dropout", 0.0, file);
  config.target_modules = read_targets(source, file);
  require_number(config.r >= 1, "r", static_cast<double>(config.r), file);
  require_number(config.alpha > 0.0, "lora_alpha", config.alpha, file);
  require_number(config.dropout >= 0.0 && config.dropout < 1.0, "lora_dropout", config.dropout, file);
  return config;
}

json adapter_config_to_save(const LoraConfig& config, const AdapterContext& context) {
  const bool has_head = !context.modules_to_save.empty();
  return {
      {"alpha_pattern", json::object()},
      {"auto_mapping", nullptr},
      {"base_model_name_or_path", context.base_name},
      {"bias", "none"},
      {"fan_in_fan_out", false},
      {"inference_mode", true},
      {"init_lora_weights", true},
      {"layers_pattern", nullptr},
      {"layers_to_transform", nullptr},
      {"lora_alpha", config.alpha},
      {"lora_dropout", config.dropout},
      {"modules_to_save", has_head ? json(context.modules_to_save) : json(nullptr)},
      {"peft_type", "LORA"},
      {"r", config.r},
      {"rank_pattern", json::object()},
      {"revision", nullptr},
      {"target_modules", context.target_modules},
      // peft adds a head of its own to every SEQ_CLS adapter, also to one that was trained without.
      {"task_type", has_head ? json("SEQ_CLS") : json(nullptr)},
      {"use_dora", false},
      {"use_rslora", false},
  };
}

}  // namespace fedtune::peft
