#include "fedtune/strategy/fedlora.h"

namespace fedtune::strategy {

NamedTensors FedLora::aggregate(int round, const NamedTensors& global, std::span<const fed::Update> accepted) {
  errors_ = aggregate::lora_averaging_errors(contributions_of(accepted));
  return FedAvg::aggregate(round, global, accepted);
}

}  // namespace fedtune::strategy
