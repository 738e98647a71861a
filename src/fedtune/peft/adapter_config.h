// adapter_config.json, as peft 0.21 writes and reads it.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "fedtune/peft/lora_config.h"

namespace fedtune::peft {

// Everything but train_head, which the folder's tensors tell. Throws Error(input) for a method other than LoRA, another
// task, or an option that changes the arithmetic and is not supported here; `file` is for messages.
LoraConfig parse_adapter_config(const nlohmann::json& source, const std::string& file);

// What a configuration does not say and its file does.
struct AdapterContext {
  std::string base_name;                     // base_model_name_or_path
  std::vector<std::string> target_modules;   // as resolved
  std::vector<std::string> modules_to_save;  // the head's; empty where it is not part of the adapter
};
nlohmann::json adapter_config_to_save(const LoraConfig& config, const AdapterContext& context);

}  // namespace fedtune::peft
