// The matrix unit's tiles, for the sources that are compiled for it (AMX).
#pragma once

#include <immintrin.h>

#include "fedtune/nn/kernels/tile_layout.h"

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

// The intrinsics do not say what memory they read and write: what comes before is there before what comes after.
static void order_memory() {
  __asm__ volatile("" ::: "memory");
}

struct TileConfiguration {
  uint8_t palette, start_row, reserved[14];
  uint16_t bytes_per_row[16];
  uint8_t rows[16];
};

// Eight of sixteen rows of 64 bytes. Not on the stack: the intrinsic that loads it does not say that it reads all of
// it.
constexpr TileConfiguration whole_tiles{.palette = 1,
                                        .start_row = 0,
                                        .reserved = {},
                                        .bytes_per_row = {64, 64, 64, 64, 64, 64, 64, 64},
                                        .rows = {16, 16, 16, 16, 16, 16, 16, 16}};

// Tiles 0 to 3 are a product of 32 rows and columns, 4 and 5 its left matrix, 6 and 7 the right one; 2, 3 and 5 only
// where it is tall, of more than sixteen rows. The intrinsics want the numbers as constants. A stride of 0 repeats one
// row.
template <bool tall>
inline __attribute__((always_inline)) void load_product(const float* from, int64_t stride) {
  const int64_t bytes = stride * static_cast<int64_t>(sizeof(float));
  _tile_loadd(0, from, bytes);
  _tile_loadd(1, from + tile_side, bytes);
  if constexpr (tall) {
    const float* const lower = from + tile_side * stride;
    _tile_loadd(2, lower, bytes);
    _tile_loadd(3, lower + tile_side, bytes);
  }
}
template <bool tall>
inline __attribute__((always_inline)) void store_product(float* to, int64_t stride) {
  const int64_t bytes = stride * static_cast<int64_t>(sizeof(float));
  _tile_stored(0, to, bytes);
  _tile_stored(1, to + tile_side, bytes);
  if constexpr (tall) {
    float* const lower = to + tile_side * stride;
    _tile_stored(2, lower, bytes);
    _tile_stored(3, lower + tile_side, bytes);
  }
}
template <bool tall>
inline __attribute__((always_inline)) void load_left(const uint16_t* a) {
  _tile_loadd(4, a, row_bytes);
  if constexpr (tall) _tile_loadd(5, a + tile_size, row_bytes);
}
inline __attribute__((always_inline)) void load_right(const uint16_t* b) {
  _tile_loadd(6, b, row_bytes);
  _tile_loadd(7, b + tile_size, row_bytes);
}
// The product's tiles grow by that of the operands, and what comes next is loaded: each operand as soon as the last
// multiplication that reads it is on its way, and before those that do not, so that the unit need not wait for it.
template <bool tall>
inline __attribute__((always_inline)) void add_products_then_right(const uint16_t* next) {
  _tile_dpbf16ps(0, 4, 6);
  if constexpr (tall) _tile_dpbf16ps(2, 5, 6);
  _tile_loadd(6, next, row_bytes);
  _tile_dpbf16ps(1, 4, 7);
  if constexpr (tall) _tile_dpbf16ps(3, 5, 7);
  _tile_loadd(7, next + tile_size, row_bytes);
}
template <bool tall>
inline __attribute__((always_inline)) void add_products_then_left(const uint16_t* next) {
  _tile_dpbf16ps(0, 4, 6);
  _tile_dpbf16ps(1, 4, 7);
  _tile_loadd(4, next, row_bytes);
  if constexpr (tall) {
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
    _tile_loadd(5, next + tile_size, row_bytes);
  }
}
template <bool tall>
inline __attribute__((always_inline)) void add_products_then_both(const uint16_t* next_left,
                                                                  const uint16_t* next_right) {
  _tile_dpbf16ps(0, 4, 6);
  _tile_dpbf16ps(1, 4, 7);
  _tile_loadd(4, next_left, row_bytes);
  if constexpr (tall) _tile_dpbf16ps(2, 5, 6);
  _tile_loadd(6, next_right, row_bytes);
  if constexpr (tall) _tile_dpbf16ps(3, 5, 7);
  _tile_loadd(7, next_right + tile_size, row_bytes);
  if constexpr (tall) _tile_loadd(5, next_left + tile_size, row_bytes);
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
