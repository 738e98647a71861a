// Philox4x32-10 on vectors: each group of four lanes is one block, so words come out in the order of the features.
#pragma once

#include "fedtune/nn/kernels/kernels.h"
#include "fedtune/nn/kernels/simd.h"

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

// Four words repeated over the vector.
FEDTUNE_INLINE Words repeat(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  Words x;
  for (int64_t i = 0; i < lanes; i += 4) {
    x[i] = a;
    x[i + 1] = b;
    x[i + 2] = c;
    x[i + 3] = d;
  }
  return x;
}

// Counters {0, row, plane, 0}, {1, row, plane, 0}, ...
FEDTUNE_INLINE Words first_counters(uint32_t row, uint32_t plane) {
  Words x = repeat(0, row, plane, 0);
  for (int64_t i = 0; i < lanes; i += 4) x[i] = static_cast<uint32_t>(i / 4);
  return x;
}

FEDTUNE_INLINE Words next_counters(Words counters) {
  return counters + repeat(lanes / 4, 0, 0, 0);
}

FEDTUNE_INLINE Words random_words(const Drop& drop, Words counters) {
  const Words factors = repeat(0xD2511F53u, 0, 0xCD9E8D57u, 0);
  const Words weyl = repeat(0x9E3779B9u, 0, 0xBB67AE85u, 0);
  Words key = repeat(drop.key[0], 0, drop.key[1], 0);
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round) {
    const Words odd = (Words)((LongWords)counters >> 32);  // c1, 0, c3, 0
    // Products come as low0, high0, low1, high1; the next counters start from high1, low1, high0, low0.
    counters = reverse_fours((Words)multiply_even(counters, factors)) ^ odd ^ key;
    key += weyl;
  }
  return counters;
}

// 0 where dropped, else the scale.
FEDTUNE_INLINE Floats multiplier(const Drop& drop, Words words) {
  return words < (Words{} + drop.threshold) ? Floats{} : broadcast(drop.scale);
}

FEDTUNE_INLINE uint32_t row_id(const Drop& drop, int64_t row) {
  return static_cast<uint32_t>(drop.row_ids ? drop.row_ids[row] : row);
}

// One row of the mask, rounded up to whole vectors.
FEDTUNE_INLINE void draw_row(const Drop& drop, int64_t row, int64_t features, float* mask) {
  Words counters = first_counters(row_id(drop, row), 0);
  for (int64_t first = 0; first < features; first += lanes) {
    store(mask + first, multiplier(drop, random_words(drop, counters)));
    counters = next_counters(counters);
  }
}

static void mask(int64_t rows, int64_t features, const Drop& drop, float* mask) {
  for (int64_t row = 0; row < rows; ++row) {
    Words counters = first_counters(row_id(drop, row), 0);
    for_each_vector(features, [&](int64_t first, int64_t count) {
      store(mask + row * features + first, multiplier(drop, random_words(drop, counters)), count);
      counters = next_counters(counters);
    });
  }
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
