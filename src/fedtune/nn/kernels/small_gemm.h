// Products of small or skinny matrices, where packing would cost more than it saves.
#pragma once

#include "fedtune/nn/kernels/simd.h"

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

// Element (i, k) is data[i * row_stride + k * column_stride]: a matrix or its transpose.
struct Left {
  const float* data;
  int64_t row_stride, column_stride;
};
// Rows of whole or partial vectors.
struct Right {
  const float* data;
  int64_t row_stride;
};
struct Product {
  float* data;
  int64_t row_stride;
};
struct Extent {
  int64_t rows, columns, inner;
};

enum class Into { assign, add };

// part[i] += sum over k of a[i, k] row(k), with row(k, v) vector v of row k of the right matrix. All of `part` stays in
// registers.
template <int Rows, int Vectors, typename Row>
FEDTUNE_INLINE void accumulate(int64_t inner, Left a, Row row, Floats (&part)[Rows][Vectors]) {
  for (int64_t k = 0; k < inner; ++k) {
    Floats right[Vectors];
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) right[v] = row(k, v);
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) {
      const Floats left = broadcast(a.data[i * a.row_stride + k * a.column_stride]);
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; ++v) part[i][v] += left * right[v];
    }
  }
}

// `Rows` by `Vectors` accumulators; the last vector has `count` elements.
template <int Rows, int Vectors, Into into>
FEDTUNE_INLINE void multiply_tile(int64_t inner, Left a, Right b, Product c, float scale, int64_t count) {
  Floats part[Rows][Vectors] = {};
  const auto row = [&](int64_t k, int v) __attribute__((always_inline)) {
    return load(b.data + k * b.row_stride + v * lanes, v + 1 < Vectors ? lanes : count);
  };
  accumulate(inner, a, row, part);
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) {
      const int64_t width = v + 1 < Vectors ? lanes : count;
      float* const to = c.data + i * c.row_stride + v * lanes;
      const Floats product = part[i][v] * scale;
      store(to, into == Into::add ? load(to, width) + product : product, width);
    }
}

// One panel of columns, all rows.
template <int Vectors, Into into>
FEDTUNE_INLINE void multiply_panel(Extent size, Left a, Right b, Product c, float scale, int64_t count) {
  constexpr int block = Vectors == 1 ? 8 : 4;
  int64_t i = 0;
  const auto tile = [&](auto rows) {
    multiply_tile<decltype(rows)::value, Vectors, into>(size.inner,
                                                        {a.data + i * a.row_stride, a.row_stride, a.column_stride}, b,
                                                        {c.data + i * c.row_stride, c.row_stride}, scale, count);
    i += decltype(rows)::value;
  };
  while (i + block <= size.rows) tile(Constant<block>{});
  if (block == 8 && i + 4 <= size.rows) tile(Constant<4>{});
  if (i + 2 <= size.rows) tile(Constant<2>{});
  if (i + 1 <= size.rows) tile(Constant<1>{});
}

// c = scale * a b, or c += scale * a b.
template <Into into>
static void multiply(Extent size, Left a, Right b, Product c, float scale) {
  constexpr int wide = lanes == 16 ? 4 : 2;
  int64_t j = 0;
  const auto panel = [&](auto vectors, int64_t count) {
    constexpr int width = decltype(vectors)::value;
    multiply_panel<width, into>(size, a, {b.data + j, b.row_stride}, {c.data + j, c.row_stride}, scale, count);
    j += width * lanes;
  };
  while (j + wide * lanes <= size.columns) panel(Constant<wide>{}, lanes);
  while (j + lanes <= size.columns) panel(Constant<1>{}, lanes);
  if (j < size.columns) panel(Constant<1>{}, size.columns - j);
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
