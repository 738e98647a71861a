// One hash for a set of tensors: equal hashes, equal bits.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "fedtune/base/sha256.h"
#include "fedtune/format/named_tensors.h"

namespace fedtune {

// SHA-256 in hexadecimal over the tensors in their order. Each adds, without separators:
//   its name (UTF-8), one byte 0x00,
//   its type as safetensors spells it (ASCII, "F32"),
//   the number of dimensions, then each extent (unsigned 64-bit little-endian),
//   its values (little-endian, row-major).
std::string final_sha256(const NamedTensors& tensors);

// The same for whoever reads the values piece by piece: begin and all pieces of one tensor after the other, then hex.
class TensorHash {
 public:
  // The next tensor: its name, type and shape; its bytes are not looked at.
  void begin(const TensorView& tensor);
  void add(std::span<const std::byte> values) { hash_.update(values); }
  // Call once, last.
  std::string hex() { return hash_.hex(); }

 private:
  Sha256 hash_;
};

}  // namespace fedtune
