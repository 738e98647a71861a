// The same products without any instruction for them: the tests' yardstick, and what shows that a set keeps the layout.
#define FEDTUNE_KERNELS portable_bf16
#include "fedtune/nn/kernels/bf16_layout.h"
#include "fedtune/nn/kernels/bf16_sets.h"

namespace fedtune::nn::kernels {
namespace portable_bf16 {
namespace {

float widened(uint16_t x) {
  const uint32_t bits = uint32_t{x} << 16U;
  float result;
  __builtin_memcpy(&result, &bits, sizeof result);
  return result;
}

void convert_row(const float* row, int64_t depth, uint16_t* to) {
  for (int64_t k = 0; k < blocks(depth) * side; ++k)
    to[k / side * block_size + k % side] = k < depth ? rounded(row[k]) : uint16_t{0};
}

void multiply(const Tile& tile) {
  for (int64_t i = 0; i < tile.rows; ++i)
    for (int64_t j = 0; j < side; ++j) {
      float sum = tile.bias[j];
      for (int64_t block = 0; block < tile.depth_blocks; ++block) {
        const uint16_t* const a = tile.a + block * block_size + i * side;
        const uint16_t* const b = tile.b + block * block_size + j / tile_side * tile_size + j % tile_side * 2;
        for (int64_t k = 0; k < side; ++k) sum += widened(a[k]) * widened(b[k / 2 * side + k % 2]);
      }
      tile.c[i * tile.c_stride + j] = sum;
    }
}

void product(const Bf16Product& args) {
  convert(args);
  blocked_product(args, multiply);
}

}  // namespace
}  // namespace portable_bf16

constinit const Bf16Kernels portable_bf16::set{.name = "portable_bf16",
                                               .packed_size = packed_size,
                                               .pack = pack,
                                               .scratch_size = scratch_size,
                                               .product = product};

}  // namespace fedtune::nn::kernels
