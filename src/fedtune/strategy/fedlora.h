// FedLoRA (FedIT, Zhang et al. 2023): only adapters and head travel; A and B are averaged apart.
#pragma once

#include <string>
#include <vector>

#include "fedtune/strategy/fedavg.h"

namespace fedtune::strategy {

// How far a layer's averaged adapter is from the average of the adapters' products.
struct AveragingError {
  std::string layer;
  double relative = 0.0;  // ||s B A - sum_k p_k s B_k A_k|| / ||sum_k p_k s B_k A_k||, Frobenius; 0 where both are 0
};

class FedLora : public FedAvg {
 public:
  using FedAvg::FedAvg;

  NamedTensors aggregate(int round, const NamedTensors& global, std::span<const fed::Update> accepted) override;
  // Of the last aggregate, layer by layer in wire order.
  const std::vector<AveragingError>& averaging_errors() const { return errors_; }

 private:
  std::vector<AveragingError> errors_;
};

}  // namespace fedtune::strategy
