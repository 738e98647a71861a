// What the sets of bf16 kernels have in common: how the operands lie in memory, and the loops around a tile.
//
// Included once by each set, after FEDTUNE_KERNELS (its namespace) is defined. The layout is that of the matrix unit's
// tiles: sixteen rows of 64 bytes. The left matrix goes into blocks of 32 rows by 32 of depth, the right one into
// panels of 32 columns, each block of 32 of depth two tiles that hold sixteen columns in pairs of successive depth.
// What lies beyond an edge is 0.
#pragma once

#include "fedtune/nn/kernels/bf16.h"
#include "fedtune/nn/kernels/tile_layout.h"

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

constexpr int64_t block_size = 2 * tile_size;
// Panels that pass by each block of rows from the second cache, in bytes.
constexpr int64_t panels_in_cache = 512 * 1024;

static int64_t packed_size(int64_t depth, int64_t columns) {
  return blocks(depth) * blocks(columns) * block_size;
}
static int64_t scratch_size(int64_t rows, int64_t depth) {
  return blocks(rows) * blocks(depth) * block_size;
}

// The nearest bf16, ties to even; subnormal numbers become 0 and NaN stays one, as the processors' instructions do it.
static uint16_t rounded(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  const uint32_t exponent = bits & 0x7F800000U;
  if (exponent == 0) return static_cast<uint16_t>((bits & 0x80000000U) >> 16U);
  if (exponent == 0x7F800000U && (bits & 0x007FFFFFU) != 0) return static_cast<uint16_t>((bits >> 16U) | 0x40U);
  return static_cast<uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}

static void pack(const Source& b, uint16_t* packed) {
  for (int64_t column = 0; column < b.columns; column += side)
    for (int64_t first = 0; first < b.depth; first += side)
      for (int64_t tile = column; tile < column + side; tile += tile_side)
        for (int64_t k = first; k < first + side; k += 2)
          for (int64_t j = tile; j < tile + tile_side; ++j)
            for (int64_t i = k; i < k + 2; ++i)
              *packed++ = i < b.depth && j < b.columns ? rounded(b.data[i * b.depth_stride + j * b.column_stride])
                                                       : uint16_t{0};
}

// One row of the left matrix into its place in the blocks of a row block.
static void convert_row(const float* row, int64_t depth, uint16_t* to);

static void convert(const Bf16Product& args) {
  const int64_t block_row = blocks(args.depth) * block_size;
  for (int64_t i = 0; i < blocks(args.rows) * side; ++i) {
    uint16_t* const to = args.scratch + i / side * block_row + i % side * side;
    if (i < args.rows) {
      convert_row(args.a + i * args.depth, args.depth, to);
    } else {
      for (int64_t k = 0; k < blocks(args.depth); ++k) __builtin_memset(to + k * block_size, 0, side * sizeof *to);
    }
  }
}

// c[i, j] = bias[j] + sum over k of a[i, k] b[k, j] for 32 columns and 32 rows, of which the first `rows` are wanted.
struct Tile {
  int64_t rows, depth_blocks;
  const uint16_t* a;
  const uint16_t* b;
  const float* bias;  // [32]
  float* c;
  int64_t c_stride;
};

// `multiply(tile)` may write any of the 32 rows of c. An edge is computed beside the product and copied.
template <typename Multiply>
static void at_edge(const Tile& tile, int64_t columns, Multiply multiply) {
  float product[side * side];
  Tile beside = tile;
  beside.c = product;
  beside.c_stride = side;
  multiply(beside);
  for (int64_t i = 0; i < tile.rows; ++i)
    for (int64_t j = 0; j < columns; ++j) tile.c[i * tile.c_stride + j] = product[i * side + j];
}

template <typename Multiply>
static void blocked_product(const Bf16Product& args, Multiply multiply) {
  const int64_t depth_blocks = blocks(args.depth), panel = depth_blocks * block_size;
  const int64_t fitting = panels_in_cache / (panel * static_cast<int64_t>(sizeof(uint16_t)));
  const int64_t together = (fitting > 1 ? fitting : 1) * side;
  for (int64_t first = 0; first < args.columns; first += together) {
    const int64_t end = first + together < args.columns ? first + together : args.columns;
    for (int64_t i = 0; i < args.rows; i += side)
      for (int64_t j = first; j < end; j += side) {
        const int64_t rows = args.rows - i < side ? args.rows - i : side;
        const int64_t columns = args.columns - j < side ? args.columns - j : side;
        float bias[side] = {};
        for (int64_t k = 0; args.bias && k < columns; ++k) bias[k] = args.bias[j + k];
        const Tile tile{.rows = rows,
                        .depth_blocks = depth_blocks,
                        .a = args.scratch + i / side * panel,
                        .b = args.packed + j / side * panel,
                        .bias = bias,
                        .c = args.c + i * args.columns + j,
                        .c_stride = args.columns};
        if (rows == side && columns == side)
          multiply(tile);
        else
          at_edge(tile, columns, multiply);
      }
  }
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
