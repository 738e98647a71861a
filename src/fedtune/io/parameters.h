// Torch tensors by name, in an order that matters.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "fedtune/format/named_tensors.h"

namespace fedtune::io {

struct Parameter {
  std::string name;
  at::Tensor tensor;
};
using Parameters = std::vector<Parameter>;

// A torch tensor over the view's bytes, without a copy where type, alignment and an owner allow it; `owner` is kept
// alive by the tensor. Floating-point types become fp32, others stay. The memory may be a read-only map: whoever writes
// to the tensor, an optimiser above all, clones it first.
at::Tensor tensor_from(const TensorView& view, const std::shared_ptr<const void>& owner);
Parameters parameters_from(const NamedTensors& tensors);

// Views of the parameters' memory, which they keep alive. Contiguous CPU copies are made where needed.
NamedTensors named_tensors_from(const Parameters& parameters);

// Copies values by position into existing parameters; names and shapes must match (Error(failed) names the first that
// does not).
void assign(const Parameters& into, const NamedTensors& values);

}  // namespace fedtune::io
