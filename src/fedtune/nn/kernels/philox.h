// Philox4x32-10 on vectors: each group of four lanes is one block, so words come out in the order of the features.
#pragma once

#include "fedtune/nn/kernels/kernels.h"
#include "fedtune/nn/kernels/simd.h"

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

// a, b, c, d repeated over the vector. Of constants only: the compiler builds anything else element by element.
constexpr Words repeat(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  Words x{};
  for (int64_t i = 0; i < lanes; ++i) x[i] = i % 4 == 0 ? a : i % 4 == 1 ? b : i % 4 == 2 ? c : d;
  return x;
}

// A mask being drawn: all that does not change from one vector to the next.
struct Draw {
  Words keys[10];  // of each round
  Words threshold;
  Floats scale;
  const int32_t* row_ids;
};

FEDTUNE_INLINE Draw prepare(const Drop& drop) {
  Draw draw;
  Words key = (drop.key[0] & repeat(~0u, 0, 0, 0)) | (drop.key[1] & repeat(0, 0, ~0u, 0));
  for (Words& round : draw.keys) {
    round = key;
    key += repeat(0x9E3779B9u, 0, 0xBB67AE85u, 0);
  }
  draw.threshold = Words{} + drop.threshold;
  draw.scale = broadcast(drop.scale);
  draw.row_ids = drop.row_ids;
  return draw;
}

// Counters {0, row, plane, 0}, {1, row, plane, 0}, ...
FEDTUNE_INLINE Words first_counters(uint32_t row, uint32_t plane) {
  Words blocks{};
  for (int64_t i = 0; i < lanes; i += 4) blocks[i] = static_cast<uint32_t>(i / 4);
  return blocks | (row & repeat(0, ~0u, 0, 0)) | (plane & repeat(0, 0, ~0u, 0));
}

FEDTUNE_INLINE Words next_counters(Words counters) {
  return counters + repeat(lanes / 4, 0, 0, 0);
}

FEDTUNE_INLINE Words random_words(const Draw& draw, Words counters) {
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round) {
    const Words odd = (Words)((LongWords)counters >> 32);  // c1, 0, c3, 0
    // Products come as low0, high0, low1, high1; the next counters start from high1, low1, high0, low0.
    const LongWords products = multiply_even(counters, repeat(0xD2511F53u, 0, 0xCD9E8D57u, 0));
    counters = reverse_fours((Words)products) ^ odd ^ draw.keys[round];
  }
  return counters;
}

// 0 where dropped, else the scale.
FEDTUNE_INLINE Floats multiplier(const Draw& draw, Words words) {
  return words < draw.threshold ? Floats{} : draw.scale;
}

FEDTUNE_INLINE uint32_t row_id(const Draw& draw, int64_t row) {
  return static_cast<uint32_t>(draw.row_ids ? draw.row_ids[row] : row);
}

// One row of the mask, rounded up to whole vectors.
FEDTUNE_INLINE void draw_row(const Draw& draw, int64_t row, int64_t features, float* mask) {
  Words counters = first_counters(row_id(draw, row), 0);
  for (int64_t first = 0; first < features; first += lanes) {
    store(mask + first, multiplier(draw, random_words(draw, counters)));
    counters = next_counters(counters);
  }
}

static void mask(int64_t rows, int64_t features, const Drop& drop, float* mask) {
  const Draw draw = prepare(drop);
  for (int64_t row = 0; row < rows; ++row) {
    Words counters = first_counters(row_id(draw, row), 0);
    for_each_vector(features, [&](int64_t first, int64_t count) {
      store(mask + row * features + first, multiplier(draw, random_words(draw, counters)), count);
      counters = next_counters(counters);
    });
  }
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
