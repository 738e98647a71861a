// Memory for what every step reads from end to end, in huge pages where Linux has some to give: small ones it would
// look up anew each time, because the processor remembers fewer than a model has.
//
// On the CPU, contiguous, from the size of a huge page on, of two for what is made like another tensor: a mapping of
// its own, which is the system's again when its last tensor goes. Anything else, and all where Linux gives no huge
// pages, is as torch's operation of that name has it. Throws std::bad_alloc.
#pragma once

#include <ATen/core/Tensor.h>

namespace fedtune::nn {

// On the CPU, of undefined content.
at::Tensor huge_empty(at::IntArrayRef shape, at::ScalarType type);

at::Tensor huge_empty_like(const at::Tensor& x);
// For what is mostly never written: such pages take no memory. One that is read before it is written costs more: Linux
// lends a page of zeros and, to take it back, interrupts all threads of the process.
at::Tensor huge_zeros_like(const at::Tensor& x);
at::Tensor huge_clone(const at::Tensor& x);

}  // namespace fedtune::nn
