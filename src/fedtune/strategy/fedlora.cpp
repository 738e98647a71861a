#include "fedtune/strategy/fedlora.h"

#include "fedtune/nn/thread.h"

namespace fedtune::strategy {

NamedTensors FedLora::aggregate(int round, const NamedTensors& global, std::span<const fed::Update> accepted) {
  NamedTensors mean = FedAvg::aggregate(round, global, accepted);
  const nn::UseThreads multiplying(validation().options.workers);
  errors_ = lora_averaging_errors(contributions_of(accepted), mean);
  return mean;
}

}  // namespace fedtune::strategy
