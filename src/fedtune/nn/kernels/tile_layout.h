// Blocks of a matrix as the tiles of the matrix unit take them: sixteen rows of 64 bytes.
//
// Included after FEDTUNE_KERNELS (the set's namespace) is defined.
#pragma once

#include <stdint.h>

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

constexpr int64_t side = 32;  // rows, columns and depth of a block
constexpr int64_t tile_side = 16;
constexpr int64_t row_bytes = 64;
constexpr int64_t tile_size = tile_side * side;  // in bf16

constexpr int64_t blocks(int64_t count) {
  return (count + side - 1) / side;
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
