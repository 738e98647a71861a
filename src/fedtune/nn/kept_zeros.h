// The gradients of large tables, in memory that stays.
#pragma once

#include <ATen/core/Tensor.h>

namespace fedtune::nn {

// fp32 zeros on the CPU. Memory above 32 MB glibc's malloc maps anew each time, and a page costs more to map than to
// fill: here it goes back to a store of the process when its last tensor goes, and is filled again for the next of its
// size. The store holds as much as was ever in use at once. From any thread.
at::Tensor kept_zeros(at::IntArrayRef shape);

}  // namespace fedtune::nn
