// The student of a federation: one checkpoint, and which of its tensors are trained and travel.
#pragma once

#include <cstdint>

#include "fedtune/format/named_tensors.h"
#include "fedtune/io/parameters.h"
#include "fedtune/models/classifier.h"
#include "fedtune/nn/precision.h"
#include "fedtune/peft/lora.h"

namespace fedtune::train {

enum class Trained {
  all_parameters,  // FedAvg: every tensor of the checkpoint, in the order of its state_dict
  adapters,        // FedLoRA: adapters and head, in the order of peft's get_peft_model_state_dict
};

struct StudentOptions {
  Trained trained = Trained::adapters;
  peft::LoraConfig lora = {};  // read with Trained::adapters
  // Of the frozen base; read with Trained::adapters.
  nn::Precision precision = nn::Precision::fp32;
  std::uint64_t seed = 0;  // of the run: every party draws the same adapters from it
};

// Makes models from global tensors. Immutable once built and safe to use from several threads; the frozen base is one,
// shared by every model made.
class StudentTemplate {
 public:
  // Takes `checkpoint` as it was loaded, its head already there. With adapters its weights are frozen and packed.
  StudentTemplate(models::SequenceClassifier checkpoint, const StudentOptions& options);

  const StudentOptions& options() const { return options_; }
  const models::ModelConfig& config() const { return start_.config; }
  // What travels: names, types and shapes in wire order.
  const Layout& layout() const { return layout_; }
  // The tensors before round 1.
  NamedTensors initial() const;

  // A model whose trained tensors are its own, hold the values of `global` and need gradients. Throws Error(failed)
  // when `global` does not have the layout.
  models::SequenceClassifier for_training(const NamedTensors& global) const;
  // The same without gradients, its matrices packed: to score, predict or save.
  models::SequenceClassifier for_scoring(const NamedTensors& global) const;

  // The travelling tensors of a model made here, on the CPU. On the CPU they are views of the model's memory, which
  // they keep alive.
  NamedTensors travelling(const models::SequenceClassifier& model) const;

 private:
  std::vector<models::TensorSlot> trained_slots(models::SequenceClassifier& model) const;

  models::SequenceClassifier start_;  // before round 1, adapters included
  StudentOptions options_;
  Layout layout_;
};

}  // namespace fedtune::train
