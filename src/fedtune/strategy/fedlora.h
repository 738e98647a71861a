// FedLoRA (FedIT, Zhang et al. 2023): only adapters and head travel; A and B are averaged apart.
#pragma once

#include <vector>

#include "fedtune/strategy/fedavg.h"
#include "fedtune/strategy/lora_error.h"

namespace fedtune::strategy {

class FedLora : public FedAvg {
 public:
  using FedAvg::FedAvg;

  NamedTensors aggregate(int round, const NamedTensors& global, std::span<const fed::Update> accepted) override;
  // What averaging A and B apart cost in the last aggregate, layer by layer in wire order.
  const std::vector<LoraError>& averaging_errors() const { return errors_; }

 private:
  std::vector<LoraError> errors_;
};

}  // namespace fedtune::strategy
