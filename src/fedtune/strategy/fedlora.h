// FedLoRA (FedIT, Zhang et al. 2023): only adapters and head travel; A and B are averaged apart.
#pragma once

#include <vector>

#include "fedtune/aggregate/lora_error.h"
#include "fedtune/strategy/fedavg.h"

namespace fedtune::strategy {

class FedLora : public FedAvg {
 public:
  using FedAvg::FedAvg;

  NamedTensors aggregate(int round, const NamedTensors& global, std::span<const fed::Update> accepted) override;
  // What averaging A and B apart cost in the last aggregate, layer by layer in wire order.
  const std::vector<aggregate::LoraError>& averaging_errors() const { return errors_; }

 private:
  std::vector<aggregate::LoraError> errors_;
};

}  // namespace fedtune::strategy
