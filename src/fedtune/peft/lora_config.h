// How a model is adapted: the settings alone, which need no tensors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fedtune::peft {

enum class TrainHead {
  full,      // the head's layers train and travel in full
  low_rank,  // a dense head layer keeps its initial weight and trains an adapter of rank r, and its bias
  none,      // the head stays as the checkpoint has it
};

struct LoraConfig {
  std::int64_t r = 8;
  double alpha = 16.0;   // the update is scaled by alpha / r
  double dropout = 0.1;  // on the adapter's input
  // Linear layers whose name is, or ends in ".", one of these; empty: query and value of every layer.
  std::vector<std::string> target_modules{};
  TrainHead train_head = TrainHead::full;

  double scale() const { return alpha / static_cast<double>(r); }
};

}  // namespace fedtune::peft
