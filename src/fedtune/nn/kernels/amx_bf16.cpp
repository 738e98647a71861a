// Compiled for AMX-BF16 and AVX512_BF16: run only where bf16_select.cpp found both and matrix_unit.h was granted.
#if defined(__x86_64__)
#define FEDTUNE_KERNELS amx_bf16
#include "fedtune/nn/kernels/bf16_convert.h"
#include "fedtune/nn/kernels/bf16_sets.h"
#include "fedtune/nn/kernels/tiles.h"

namespace fedtune::nn::kernels {
namespace amx_bf16 {
namespace {

constexpr int64_t row_bytes = side * sizeof(uint16_t);

// Tiles 0 to 3 are the product, 4 and 5 the left matrix, 6 and 7 the right one. The upper sixteen rows, or all 32. The
// intrinsics want the tiles' numbers as constants.
template <bool whole>
void multiply_rows(const Tile& tile) {
  _tile_loadd(0, tile.bias, 0);
  _tile_loadd(1, tile.bias + tile_side, 0);
  if constexpr (whole) {
    _tile_loadd(2, tile.bias, 0);
    _tile_loadd(3, tile.bias + tile_side, 0);
  }
  const uint16_t *a = tile.a, *b = tile.b;
  for (int64_t k = 0; k < tile.depth_blocks; ++k, a += block_size, b += block_size) {
    _tile_loadd(4, a, row_bytes);
    _tile_loadd(6, b, row_bytes);
    _tile_loadd(7, b + tile_size, row_bytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if constexpr (whole) {
      _tile_loadd(5, a + tile_size, row_bytes);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  }
  const int64_t stride = tile.c_stride * static_cast<int64_t>(sizeof(float));
  _tile_stored(0, tile.c, stride);
  _tile_stored(1, tile.c + tile_side, stride);
  if constexpr (whole) {
    float* const lower = tile.c + tile_side * tile.c_stride;
    _tile_stored(2, lower, stride);
    _tile_stored(3, lower + tile_side, stride);
  }
}

void multiply(const Tile& tile) {
  order_memory();
  tile.rows <= tile_side ? multiply_rows<false>(tile) : multiply_rows<true>(tile);
}

void product(const Bf16Product& args) {
  convert(args);
  _tile_loadconfig(&whole_tiles);
  blocked_product(args, multiply);
  _tile_release();
}

}  // namespace
}  // namespace amx_bf16

constinit const Bf16Kernels amx_bf16::set{
    .name = "amx_bf16", .packed_size = packed_size, .pack = pack, .scratch_size = scratch_size, .product = product};

}  // namespace fedtune::nn::kernels
#endif
