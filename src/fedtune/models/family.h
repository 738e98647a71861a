// What distinguishes one encoder family from another: its settings' keys, its tensors' names, its head.
//
// A new family is a folder with one such description, and a line in registry.cpp; see docs/adding-a-model.md.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fedtune/models/config.h"
#include "fedtune/models/config_reader.h"

namespace fedtune::models {

enum class HeadActivation { tanh, relu };

// Names without ".weight" and ".bias". Those within a layer follow `layer`, in which {} stands for the layer's number.
struct TensorNames {
  std::string word, position;
  std::string type;  // empty: no token types
  std::string embeddings_norm;
  std::string layer;
  std::string query, key, value, attention_output, attention_norm;
  std::string intermediate, output, output_norm;
  std::string head_dense, classifier;
};

struct Family {
  std::string model_type;    // in config.json
  std::string architecture;  // transformers' class with a sequence classification head
  // Of the encoder's names; published encoders without a head leave it out.
  std::string prefix;
  TensorNames names;
  HeadActivation head_activation;
  // Whether head_dense belongs to the head that is trained and sent beside adapters, or to the encoder.
  bool trains_head_dense;
  // The modules in which the head's layers lie, as peft's modules_to_save names them.
  std::vector<std::string> head_modules;
  // Where LoRA goes unless told otherwise: query and value.
  std::vector<std::string> lora_targets;
  // Names of pre-training heads begin like this; they are skipped.
  std::vector<std::string> skipped_prefixes;
  // Fills in everything but model_type, num_labels and source.
  ModelConfig (*read_config)(const ConfigReader& reader);
};

// Every known family.
std::span<const Family* const> families();
// Throws Error(input) that lists the known model types and the nearest; `file` is for the message.
const Family& family_of(std::string_view model_type, const std::string& file);

}  // namespace fedtune::models
