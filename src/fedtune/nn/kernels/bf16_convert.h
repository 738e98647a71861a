// Rows of the left matrix to bf16 by AVX512_BF16's instruction, for the sets that may use it.
#pragma once

#include <immintrin.h>

#include "fedtune/nn/kernels/bf16_layout.h"

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

static void convert_row(const float* row, int64_t depth, uint16_t* to) {
  for (int64_t k = 0; k < depth; k += side, to += block_size) {
    __m512 low, high;
    if (depth - k >= side) {
      low = _mm512_loadu_ps(row + k);
      high = _mm512_loadu_ps(row + k + tile_side);
    } else {
      const uint32_t wanted = (uint32_t{1} << (depth - k)) - 1;
      low = _mm512_maskz_loadu_ps(static_cast<__mmask16>(wanted), row + k);
      high = _mm512_maskz_loadu_ps(static_cast<__mmask16>(wanted >> tile_side), row + k + tile_side);
    }
    const __m512bh both = _mm512_cvtne2ps_pbh(high, low);
    __builtin_memcpy(to, &both, sizeof both);
  }
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
