// Hugging Face folders: config.json and model.safetensors, in and out.
#pragma once

#include <filesystem>
#include <future>
#include <string>
#include <vector>

#include "fedtune/models/classifier.h"
#include "fedtune/nn/precision.h"

namespace fedtune::models {

struct LoadOptions {
  // A head that is missing as a whole is drawn from the run seed (true) or is an Error(input) (false).
  bool initialise_head = false;
  std::uint64_t seed = 0;
  ModelRole role = ModelRole::student;
  // Classes of the task; 0 takes the checkpoint's own number. A head with another number of classes is an Error(input).
  std::int64_t num_labels = 0;
};

struct LoadedModel {
  SequenceClassifier model;
  bool head_initialised = false;
  std::vector<std::string> skipped;        // tensors of the file that the task does not use
  std::shared_future<std::string> sha256;  // of model.safetensors (io/weight_files.h)
};

// The tensors map the file, read-only: see freeze_all and trainable_copy. Throws Error(input) naming file, tensor,
// found and expected (with the nearest name) for anything missing, unexpected or misshapen. The head is missing as a
// whole when none of model.head()'s tensors is there; BERT's pooler may then be missing too.
LoadedModel load_checkpoint(const std::filesystem::path& folder, const LoadOptions& options);

// Writes config.json and model.safetensors; `model`'s architectures entry becomes its ...ForSequenceClassification.
// Adapters are not part of a checkpoint: merge them first (peft/lora.h).
void save_checkpoint(const std::filesystem::path& folder, const SequenceClassifier& model);

// Weights that never change are packed for the matrix kernels, and need no gradient: the shared base of LoRA clients.
// With bf16 this holds for the encoder's layers; the head, a thousandth of the work, stays in fp32. Vectors become the
// model's own: of the file that it came from, no more than the embeddings is read again. Throws as nn::freeze does.
void freeze_all(SequenceClassifier& model, nn::Precision precision = nn::Precision::fp32);
// A copy with tensors of its own, each a leaf that needs its gradient: all-parameter training.
SequenceClassifier trainable_copy(const SequenceClassifier& model);
// A copy on `device`, adapters included, nothing packed; tensors already there are shared.
SequenceClassifier to_device(const SequenceClassifier& model, at::Device device);

}  // namespace fedtune::models
