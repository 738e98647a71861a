// Compiled for AMX-BF16 and AVX512_BF16: run only where bf16_select.cpp found both and matrix_unit.h was granted.
#if defined(__x86_64__)
#define FEDTUNE_KERNELS amx_bf16
#include "fedtune/nn/kernels/bf16_convert.h"
#include "fedtune/nn/kernels/bf16_sets.h"
#include "fedtune/nn/kernels/tiles.h"

namespace fedtune::nn::kernels {
namespace amx_bf16 {
namespace {

template <bool tall>
void multiply_rows(const Tile& tile) {
  load_product<tall>(tile.bias, 0);
  const uint16_t *a = tile.a, *b = tile.b;
  load_left<tall>(a);
  load_right(b);
  for (int64_t k = 0; k < tile.depth_blocks; ++k) {
    const int64_t next = k + 1 < tile.depth_blocks ? block_size : 0;
    a += next;
    b += next;
    add_products_then_both<tall>(a, b);
  }
  store_product<tall>(tile.c, tile.c_stride);
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
