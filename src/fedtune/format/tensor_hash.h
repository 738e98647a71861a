// One hash for a set of tensors: equal hashes, equal bits.
#pragma once

#include <string>

#include "fedtune/format/named_tensors.h"

namespace fedtune {

// SHA-256 in hexadecimal over the tensors in their order. Each adds, without separators:
//   its name (UTF-8), one byte 0x00,
//   its type as safetensors spells it (ASCII, "F32"),
//   the number of dimensions, then each extent (unsigned 64-bit little-endian),
//   its values (little-endian, row-major).
std::string final_sha256(const NamedTensors& tensors);

}  // namespace fedtune
