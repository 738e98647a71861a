// fp32 numbers as whole multiples of a power of two, of 24 bits, in three digits of eight bits each, -128 .. 127, the
// highest first, in the layout of the matrix unit's tiles: sixteen rows of 64 bytes, a word of four bytes for each
// number of the product that it adds to.
//
// A line of a matrix (a row of the left one, a column of the right one) has a power of its own for each chunk of the
// depth, so that its largest element takes up 23 or 24 bits. Of 64 elements of depth byte b of word w is number
// 16 b + w, in both operands.
//
// Included by amx.cpp, after FEDTUNE_KERNELS (its namespace) and FEDTUNE_VECTOR_BYTES are defined.
#pragma once

#include "fedtune/nn/kernels/simd.h"
#include "fedtune/nn/kernels/tile_layout.h"

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

constexpr int64_t digits = 3;
constexpr int64_t block_depth = 64;  // of a tile of bytes
constexpr int64_t tile_bytes = tile_side * row_bytes;
constexpr int64_t left_block = digits * tile_bytes;       // [digit][16 rows][64]
constexpr int64_t right_block = 2 * digits * tile_bytes;  // [digit][2 tiles][16 words][16 columns][4]

// How many rows ahead operands are fetched.
constexpr int64_t rows_ahead = 4, columns_ahead = 64;

typedef uint32_t UnalignedWords __attribute__((vector_size(FEDTUNE_VECTOR_BYTES), aligned(4), may_alias));

constexpr int64_t depth_blocks(int64_t depth) {
  return (depth + block_depth - 1) / block_depth;
}

// The bits of |x|, which are in the order of the numbers, and beyond them for what is none.
FEDTUNE_INLINE Words magnitude(Floats x) {
  return (Words)x & 0x7FFFFFFFU;
}
FEDTUNE_INLINE Words larger(Words a, Words b) {
  return a > b ? a : b;
}
FEDTUNE_INLINE uint32_t largest_of(Words x) {
  return __builtin_bit_cast(uint32_t,
                            fold((Floats)x, [](Floats a, Floats b) { return (Floats)larger((Words)a, (Words)b); }));
}

// Powers of two for a line whose largest magnitude has these bits: x * to_fixed are its multiples, times from_fixed
// they are x again. NaN for a line that holds an infinity or what is no number, or an element of 2^126 and more.
template <typename Bits>
struct Scales {
  Bits to_fixed, from_fixed;
};
template <typename Bits>
FEDTUNE_INLINE Scales<Bits> scales_of(Bits largest) {
  constexpr uint32_t fraction_bits = 23, not_a_number = 0x7FC00000U;
  // Three digits reach 0x7F7F7F = 1.992 * 2^22: a fraction beyond that of it counts as the next power.
  const Bits exponent = (largest + 0x010101U) >> fraction_bits;
  const Bits kept = exponent > 23U ? exponent : Bits{} + 23U;
  return {.to_fixed = (276U - kept) << fraction_bits,
          .from_fixed = exponent > 252U ? Bits{} + not_a_number : (kept - 22U) << fraction_bits};
}

// Numbers as whole multiples, the digits in the three lower bytes of a word, the highest in the third.
FEDTUNE_INLINE Words to_digits(Floats x, Floats to_fixed) {
  constexpr uint32_t half = 0x808080U;  // so that no digit borrows from the next
  return ((Words)_mm512_maskz_cvtps_epi32(0xFFFF, (__m512)(x * to_fixed)) + half) ^ half;
}

// Digit `place` (0 the lowest) of four vectors: byte b of each word is that of vector b.
template <int place>
FEDTUNE_INLINE Words interleaved(const Words (&x)[4]) {
  constexpr int shift = 8 * place;
  const auto moved = [&](int b) __attribute__((always_inline)) {
    const int by = 8 * b - shift;
    return by >= 0 ? x[b] << by : x[b] >> -by;
  };
  return (moved(0) & 0xFFU) | (moved(1) & 0xFF00U) | (moved(2) & 0xFF0000U) | (moved(3) & 0xFF000000U);
}
// A line of each of the digits' tiles, `apart` bytes apart.
FEDTUNE_INLINE void store_digits(const Words (&x)[4], int8_t* to, int64_t apart) {
  *reinterpret_cast<UnalignedWords*>(to) = interleaved<2>(x);
  *reinterpret_cast<UnalignedWords*>(to + apart) = interleaved<1>(x);
  *reinterpret_cast<UnalignedWords*>(to + 2 * apart) = interleaved<0>(x);
}

// Rows of a left matrix, `stride` floats apart, on their way to blocks [rows / 16][depth / 64][digit][16 rows][64], and
// the scales of each, from_fixed times `unit`. Rows beyond the last are anything.
struct LeftRows {
  const float* data;
  int64_t stride, depth;
  int8_t* to;
  float* scales;
  float unit;
  int64_t next, count;
};
__attribute__((noinline)) static void next_left(LeftRows& a) {
  const float* const row = a.data + a.next * a.stride;
  int8_t* line = a.to + a.next / tile_side * depth_blocks(a.depth) * left_block + a.next % tile_side * block_depth;
  Words largest{};
  for_each_vector(a.depth, [&](int64_t first, int64_t count) {
    __builtin_prefetch(row + rows_ahead * a.stride + first);
    largest = larger(largest, magnitude(load(row + first, count)));
  });
  const Scales<uint32_t> scales = scales_of(largest_of(largest));
  a.scales[a.next] = a.unit * __builtin_bit_cast(float, scales.from_fixed);
  const Floats to_fixed = broadcast(__builtin_bit_cast(float, scales.to_fixed));
  for (int64_t k = 0; k < a.depth; k += block_depth, line += left_block) {
    Words x[4];
#pragma GCC unroll 4
    for (int64_t b = 0; b < 4; ++b) {
      const int64_t first = k + b * lanes, left = a.depth - first;
      x[b] = left > 0 ? to_digits(load(row + first, left < lanes ? left : lanes), to_fixed) : Words{};
    }
    store_digits(x, line, tile_bytes);
  }
  ++a.next;
}

// 32 columns of a right matrix, rows `stride` floats apart, on their way to blocks [depth / 64][digit][2 tiles][16
// words][16 columns][4], and their scales: first the largest elements are found, some rows at a time, then the words
// are made one after the other.
struct RightColumns {
  const float* data;
  int64_t stride, depth;
  int8_t* to;
  float* scales;
  Words largest[2];
  Floats to_fixed[2];
  int64_t next, count;  // steps
};
constexpr int64_t rows_at_once = 8;
FEDTUNE_INLINE int64_t search_steps(int64_t depth) {
  return (depth + rows_at_once - 1) / rows_at_once;
}
FEDTUNE_INLINE int64_t steps_of_right(int64_t depth) {
  return search_steps(depth) + depth_blocks(depth) * tile_side;
}
static void search_right(RightColumns& b) {
  const int64_t first = b.next * rows_at_once, left = b.depth - first, rows = left < rows_at_once ? left : rows_at_once;
  const float* row = b.data + first * b.stride;
  Words largest[2] = {b.largest[0], b.largest[1]};
  for (int64_t k = 0; k < rows; ++k, row += b.stride)
#pragma GCC unroll 2
    for (int64_t tile = 0; tile < 2; ++tile) {
      __builtin_prefetch(row + columns_ahead * b.stride + tile * tile_side);
      largest[tile] = larger(largest[tile], magnitude(load(row + tile * tile_side)));
    }
#pragma GCC unroll 2
  for (int64_t tile = 0; tile < 2; ++tile) {
    b.largest[tile] = largest[tile];
    if (left > rows_at_once) continue;
    const Scales<Words> scales = scales_of(largest[tile]);
    store(b.scales + tile * tile_side, (Floats)scales.from_fixed);
    b.to_fixed[tile] = (Floats)scales.to_fixed;
  }
}
__attribute__((noinline)) static void next_right(RightColumns& b) {
  const int64_t step = b.next - search_steps(b.depth);
  if (step < 0) {
    search_right(b);
  } else {
    const int64_t block = step / tile_side, word = step % tile_side, first = block * block_depth + word;
    const float* const top = b.data + first * b.stride;
    int8_t* const to = b.to + block * right_block + word * row_bytes;
#pragma GCC unroll 2
    for (int64_t tile = 0; tile < 2; ++tile) {
      Words x[4];
#pragma GCC unroll 4
      for (int64_t byte = 0; byte < 4; ++byte)
        x[byte] = first + byte * tile_side < b.depth
                      ? to_digits(load(top + byte * tile_side * b.stride + tile * tile_side), b.to_fixed[tile])
                      : Words{};
      store_digits(x, to + tile * tile_bytes, 2 * tile_bytes);
    }
  }
  ++b.next;
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
