// PEFT's folder format: adapter_config.json and adapter_model.safetensors, both ways.
#pragma once

#include <filesystem>
#include <string>

#include "fedtune/peft/lora.h"

namespace fedtune::peft {

// `base_name` is recorded as base_model_name_or_path. A low-rank head is merged: the file holds dense head weights.
void save_adapter(const std::filesystem::path& folder, const models::SequenceClassifier& model,
                  const LoraConfig& config, const std::string& base_name);

// Reads a folder written by peft or by save_adapter, injects into `model` and returns the configuration found;
// train_head is full where the folder holds a head, else none. The tensors read need gradients, as after inject. Throws
// Error(input) for a method other than LoRA, options that change the arithmetic and are not supported here (DoRA,
// rslora, bias, rank patterns), or tensors that do not fit the model.
LoraConfig load_adapter(const std::filesystem::path& folder, models::SequenceClassifier& model);

}  // namespace fedtune::peft
