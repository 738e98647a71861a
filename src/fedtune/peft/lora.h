// LoRA adapters (Hu et al. 2021): inject, name, merge; the numbers that travel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fedtune/models/classifier.h"
#include "fedtune/peft/lora_config.h"

namespace fedtune::peft {

// Gives `model` adapters on its target layers (A Kaiming-uniform with a = sqrt 5, B zero, drawn from `seed`) and a
// trainable copy of its head; everything else stays shared and frozen. The model's weights must need no gradient
// (load_checkpoint, freeze_all). Throws Error(usage) when a target matches nothing or belongs to the head, when r is
// below 1 or above the smaller side of a target layer's matrix, when alpha is not above 0 or dropout not in [0, 1).
void inject(models::SequenceClassifier& model, const LoraConfig& config, std::uint64_t seed);

// The targets an empty target_modules stands for.
const std::vector<std::string>& default_targets(const models::SequenceClassifier& model);

// What is trained and travels, in wire order (reference-system: peft's get_peft_model_state_dict), under peft's names
// ("base_model.model." + layer + ".lora_A.weight"), and where in the model they lie.
std::vector<models::TensorSlot> adapter_slots(models::SequenceClassifier& model, const LoraConfig& config);
// The same tensors, the model's own: assign to them to load.
io::Parameters adapter_parameters(const models::SequenceClassifier& model, const LoraConfig& config);

// The layer's weight with its adapter added: W + scale B A, [out, in].
at::Tensor merged_weight(const models::Linear& layer);
// A copy without adapters, each added to its layer's weight; needs no gradients, nothing packed.
models::SequenceClassifier merged(const models::SequenceClassifier& model);

}  // namespace fedtune::peft
