#include "fedtune/strategy/fedlora.h"

namespace fedtune::strategy {

NamedTensors FedLora::aggregate(int round, const NamedTensors& global, std::span<const fed::Update> accepted) {
  NamedTensors mean = FedAvg::aggregate(round, global, accepted);
  errors_ = lora_averaging_errors(contributions_of(accepted), mean);
  return mean;
}

}  // namespace fedtune::strategy
