// Dropout masks as a function of their place.
//
// Element (row, feature) of a matrix is dropped iff philox(key, {feature / 4, row, 0, 0})[feature % 4] < p * 2^32,
// where row is the row in the unpruned packed matrix. Attention probabilities use {key_position / 4, query_row, head +
// 1, 0}. The mask thus does not depend on pruning, row padding, vector width, thread or device, and is redrawn in the
// backward pass instead of being stored.
#pragma once

#include <ATen/core/Tensor.h>

#include "fedtune/base/random.h"

namespace fedtune::nn {

// p == 0 is "no dropout"; 0 <= p < 1.
struct Dropout {
  double p = 0.0;
  PhiloxKey key{};
  bool active() const { return p > 0.0; }
};

// Row index of each row in the unpruned packed matrix, int32 [rows]; an undefined tensor means row i is row i.
using RowIds = at::Tensor;

// The mask as a tensor, 0 or 1 / (1 - p): float [rows, features], on the CPU. The oracle of every kernel that drops.
at::Tensor dropout_mask(const Dropout& dropout, const RowIds& row_ids, std::int64_t rows, std::int64_t features);

}  // namespace fedtune::nn
