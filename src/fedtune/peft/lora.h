// LoRA adapters (Hu et al. 2021): inject, name, merge; the numbers that travel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fedtune/models/classifier.h"

namespace fedtune::peft {

enum class TrainHead { full, low_rank, none };

struct LoraConfig {
  std::int64_t r = 8;
  double alpha = 16.0;    // the update is scaled by alpha / r
  double dropout = 0.1;   // on the adapter's input
  // Linear layers whose name is, or ends in ".", one of these; empty: query and value of every layer.
  std::vector<std::string> target_modules;
  TrainHead train_head = TrainHead::full;

  double scale() const { return alpha / static_cast<double>(r); }
};

// Gives `model` adapters on its target layers (A Kaiming-uniform with a = sqrt 5, B zero, drawn from `seed`) and a
// trainable copy of its head; everything else stays shared and frozen. Throws Error(usage) when a target matches nothing.
void inject(models::SequenceClassifier& model, const LoraConfig& config, std::uint64_t seed);

// What is trained and travels, in wire order (reference-system: peft's get_peft_model_state_dict), under peft's names
// ("base_model.model." + layer + ".lora_A.weight"). The tensors are the model's own: assign to them to load.
io::Parameters adapter_parameters(const models::SequenceClassifier& model, const LoraConfig& config);

// The layer's weight with its adapter added: W + scale B A, [out, in].
at::Tensor merged_weight(const models::Linear& layer);

}  // namespace fedtune::peft
