// What the record says of a contribution's values: their hash and how large they and their change are.
#pragma once

#include <string>

#include "fedtune/format/named_tensors.h"

namespace fedtune::aggregate {

struct Measures {
  std::string sha256{};  // final_sha256 of the tensors
  double norm = 0.0;     // L2, of all values together
  double change = 0.0;   // the same of their difference from the origin
};

// Of a contribution that has passed admission, so that it is laid out as `origin`, the global tensors it was sent.
// Reads the values once, piece by piece, and lets the pages of a mapped contribution go behind it. Sums are in double
// precision.
Measures measure(const NamedTensors& tensors, const NamedTensors& origin);

}  // namespace fedtune::aggregate
