// fp32 numbers as sums of three bf16, in the layout of the matrix unit's tiles: sixteen rows of 64 bytes, in which it
// multiplies and adds pairs. Depth k is paired with k + 16; what lies beyond an edge of depth is 0.
//
// Included by amx.cpp, after FEDTUNE_KERNELS (its namespace) and FEDTUNE_VECTOR_BYTES are defined.
#pragma once

#include "fedtune/nn/kernels/simd.h"
#include "fedtune/nn/kernels/tile_layout.h"

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

constexpr int64_t plane_size = 2 * tile_size;  // a block of one of the parts
constexpr int64_t parts = 3;
constexpr int64_t block_size = parts * plane_size;

// How many rows ahead operands are fetched.
constexpr int64_t left_ahead = 4, panel_ahead = 48;

typedef uint32_t UnalignedWords __attribute__((vector_size(FEDTUNE_VECTOR_BYTES), aligned(4), may_alias));

// x as the sum of its parts, the largest first, each a bf16 in the upper half of its word: 24 bits of significand in
// three times 8. What rounding to the nearest leaves over is exact in fp32. An infinity becomes NaN.
struct Parts {
  Words part[parts];
};
FEDTUNE_INLINE Parts split(Floats x) {
  const auto nearest = [](Floats value) __attribute__((always_inline)) {
    return ((Words)value + 0x8000U) & 0xFFFF0000U;
  };
  const Words high = nearest(x);
  const Floats beyond_high = x - (Floats)high;
  const Words middle = nearest(beyond_high);
  return {{high, middle, (Words)(beyond_high - (Floats)middle)}};
}

// The pairs of x and y: a line of each of the planes.
FEDTUNE_INLINE void split_pair(Floats x, Floats y, uint16_t* to) {
  const Parts first = split(x), second = split(y);
#pragma GCC unroll 3
  for (int64_t i = 0; i < parts; ++i)
    *reinterpret_cast<UnalignedWords*>(to + i * plane_size) = (first.part[i] >> 16) | second.part[i];
}

// Rows of a left matrix, `stride` floats apart.
struct LeftRows {
  const float* data;
  int64_t stride, rows, depth;
};

// Its blocks, [rows / 32][depth / 32][part][32 rows][16 pairs]. Rows beyond the last are anything.
static void split_left(const LeftRows& a, uint16_t* to) {
  for (int64_t i = 0; i < a.rows; ++i) {
    uint16_t* line = to + i / side * blocks(a.depth) * block_size + i % side * side;
    const float* const row = a.data + i * a.stride;
    for (int64_t k = 0; k < a.depth; k += side, line += block_size) {
      __builtin_prefetch(row + left_ahead * a.stride + k);
      __builtin_prefetch(row + left_ahead * a.stride + k + tile_side);
      const int64_t left = a.depth - k;
      const int64_t first = left < tile_side ? left : tile_side, second = left < side ? left - first : tile_side;
      split_pair(load(row + k, first), load(row + k + first, second), line);
    }
  }
}

// A panel of 32 columns, rows `stride` floats apart, on its way to blocks [depth / 32][part][2 tiles][16 pairs][16
// columns].
struct Panel {
  const float* data;
  int64_t stride, depth;
  uint16_t* to;
  int64_t next, count;  // pairs of vectors
};
FEDTUNE_INLINE void split_next(Panel& panel) {
  if (panel.next == panel.count) return;
  const int64_t block = panel.next / side, pair = panel.next % side / 2, tile = panel.next % 2;
  const int64_t k = block * side + pair;
  const float* const from = panel.data + k * panel.stride + tile * tile_side;
  __builtin_prefetch(from + panel_ahead * panel.stride, 0, 2);
  __builtin_prefetch(from + (panel_ahead + tile_side) * panel.stride, 0, 2);
  const Floats first = k < panel.depth ? load(from) : Floats{};
  const Floats second = k + tile_side < panel.depth ? load(from + tile_side * panel.stride) : Floats{};
  split_pair(first, second, panel.to + block * block_size + tile * tile_size + pair * side);
  ++panel.next;
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
