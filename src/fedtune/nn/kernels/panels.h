// The right matrix of a product in panels: columns side by side, as deep as the sum is long.
#pragma once

#include "fedtune/nn/kernels/kernels.h"
#include "fedtune/nn/kernels/transpose.h"

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

// Rows first .. first + depth - 1 and `width` columns from `column` on of the source, 0 beyond its last column.
template <int64_t width>
void pack_panel(const Source& b, int64_t first, int64_t depth, int64_t column, float* panel) {
  const int64_t left = b.columns - column, columns = left < width ? left : width;
  const float* const from = b.data + first * b.depth_stride + column * b.column_stride;
  if (columns < width)
    for (int64_t i = 0; i < depth * width; ++i) panel[i] = 0.0f;
  if (b.column_stride == 1) {
    for (int64_t k = 0; k < depth; ++k)
      for_each_vector(columns, [&](int64_t j, int64_t count) {
        store(panel + k * width + j, load(from + k * b.depth_stride + j, count), count);
      });
    return;
  }
  transpose_rectangle(columns, depth, {from, b.column_stride, panel, width});
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
