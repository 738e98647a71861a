// Compiled for AVX512_BF16: run only where bf16_select.cpp found it.
#if defined(__x86_64__)
#define FEDTUNE_KERNELS avx512_bf16
#include "fedtune/nn/kernels/bf16_convert.h"
#include "fedtune/nn/kernels/bf16_sets.h"

namespace fedtune::nn::kernels {
namespace avx512_bf16 {
namespace {

constexpr int group = 8;  // rows whose sums are in registers together

__m512bh pairs(const uint16_t* from) {
  __m512bh result;
  __builtin_memcpy(&result, from, sizeof result);
  return result;
}
__m512bh broadcast_pair(const uint16_t* from) {
  int32_t pair;
  __builtin_memcpy(&pair, from, sizeof pair);
  return (__m512bh)_mm512_set1_epi32(pair);
}

void multiply_group(const Tile& tile, int64_t first) {
  __m512 part[group][2];
#pragma GCC unroll 8
  for (int i = 0; i < group; ++i) {
    part[i][0] = _mm512_loadu_ps(tile.bias);
    part[i][1] = _mm512_loadu_ps(tile.bias + tile_side);
  }
  for (int64_t block = 0; block < tile.depth_blocks; ++block) {
    const uint16_t* const a = tile.a + block * block_size + first * side;
    const uint16_t* const b = tile.b + block * block_size;
    for (int64_t k = 0; k < tile_side; ++k) {
      const __m512bh left = pairs(b + k * side), right = pairs(b + tile_size + k * side);
#pragma GCC unroll 8
      for (int i = 0; i < group; ++i) {
        const __m512bh row = broadcast_pair(a + i * side + 2 * k);
        part[i][0] = _mm512_dpbf16_ps(part[i][0], row, left);
        part[i][1] = _mm512_dpbf16_ps(part[i][1], row, right);
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < group; ++i) {
    float* const to = tile.c + (first + i) * tile.c_stride;
    _mm512_storeu_ps(to, part[i][0]);
    _mm512_storeu_ps(to + tile_side, part[i][1]);
  }
}

void multiply(const Tile& tile) {
  for (int64_t first = 0; first < tile.rows; first += group) multiply_group(tile, first);
}

void product(const Bf16Product& args) {
  convert(args);
  blocked_product(args, multiply);
}

}  // namespace
}  // namespace avx512_bf16

constinit const Bf16Kernels avx512_bf16::set{
    .name = "avx512_bf16", .packed_size = packed_size, .pack = pack, .scratch_size = scratch_size, .product = product};

}  // namespace fedtune::nn::kernels
#endif
