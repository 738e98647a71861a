// The tensors of a model that an optimiser moves.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "fedtune/models/classifier.h"

namespace fedtune::train {

// Those that need a gradient, adapters included; none when the model is frozen.
std::vector<at::Tensor> trained_leaves(const models::SequenceClassifier& model);

}  // namespace fedtune::train
