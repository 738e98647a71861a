// Matrices turned over in registers, square by square.
#pragma once

#include "fedtune/nn/kernels/simd.h"

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

template <int... index>
struct Indices {};
template <int count, int... rest>
struct CountedTo : CountedTo<count - 1, count - 1, rest...> {};
template <int... index>
struct CountedTo<0, index...> {
  using Type = Indices<index...>;
};

// Of the 2 x 2 blocks, `half` wide, in which two rows lie that are `half` apart, the ones off the diagonal change
// places.
template <int half, int... j>
FEDTUNE_INLINE void exchange(Floats& upper, Floats& lower, Indices<j...>) {
  constexpr int width = sizeof...(j);
  const Floats a = upper, b = lower;
  upper = __builtin_shufflevector(a, b, ((j & half) ? j - half + width : j)...);
  lower = __builtin_shufflevector(a, b, ((j & half) ? j + width : j + half)...);
}

template <int half>
FEDTUNE_INLINE void exchange_all(Floats (&rows)[lanes]) {
  if constexpr (half > 0) {
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i)
      if (!(i & half)) exchange<half>(rows[i], rows[i + half], typename CountedTo<lanes>::Type{});
    exchange_all<half / 2>(rows);
  }
}

struct Square {
  const float* from;
  int64_t from_stride;
  float* to;
  int64_t to_stride;
};

// to[j, i] = from[i, j] for `lanes` rows and columns. Of the source's rows the first `count` are read, the others are
// 0.
FEDTUNE_INLINE void transpose_square(const Square& square, int64_t count) {
  Floats rows[lanes];
#pragma GCC unroll 16
  for (int i = 0; i < lanes; ++i) rows[i] = i < count ? load(square.from + i * square.from_stride) : Floats{};
  exchange_all<lanes / 2>(rows);
#pragma GCC unroll 16
  for (int i = 0; i < lanes; ++i) store(square.to + i * square.to_stride, rows[i]);
}

// The same for any matrix.
FEDTUNE_INLINE void transpose_rectangle(int64_t rows, int64_t columns, const Square& all) {
  for (int64_t j = 0; j < columns; j += lanes) {
    for (int64_t i = 0; i < rows; i += lanes) {
      const Square part{all.from + i * all.from_stride + j, all.from_stride, all.to + j * all.to_stride + i,
                        all.to_stride};
      if (rows - i >= lanes && columns - j >= lanes) {
        transpose_square(part, lanes);
        continue;
      }
      for (int64_t b = 0; b < lanes && b < columns - j; ++b)
        for (int64_t a = 0; a < lanes && a < rows - i; ++a)
          part.to[b * part.to_stride + a] = part.from[a * part.from_stride + b];
    }
  }
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
