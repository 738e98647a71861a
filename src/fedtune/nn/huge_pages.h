// Memory for what every step reads from end to end, in huge pages where Linux has some to give: small ones it would
// look up anew each time, because the processor remembers fewer than a model has. On the CPU; aligned to a cache line.
#pragma once

#include <ATen/core/Tensor.h>

namespace fedtune::nn {

// In a mapping of its own, which is the system's again when the last tensor of it goes; at::zeros where it is smaller
// than a huge page or Linux gives none. Throws std::bad_alloc.
at::Tensor huge_zeros(at::IntArrayRef shape, at::ScalarType type);

// On another device, or where `x` is not contiguous: as at::zeros_like and clone() have them.
at::Tensor huge_zeros_like(const at::Tensor& x);
at::Tensor huge_copy(const at::Tensor& x);

}  // namespace fedtune::nn
