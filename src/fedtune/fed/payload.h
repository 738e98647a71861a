// The values of a set of tensors as they travel: little-endian and row-major, in the order of a layout, each tensor
// starting at a multiple of 8 bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "fedtune/format/named_tensors.h"

namespace fedtune::fed {

using Bytes = std::vector<std::byte>;

// Throws Error(failed) when an extent is negative or a size overflows.
std::size_t payload_size(const Layout& layout);

std::shared_ptr<const Bytes> payload_of(const NamedTensors& tensors);

// Views of `payload`, which they keep alive. Throws Error(network) when its size is not the layout's.
NamedTensors tensors_in(const Layout& layout, std::shared_ptr<const Bytes> payload);

}  // namespace fedtune::fed
