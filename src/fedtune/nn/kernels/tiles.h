// The matrix unit's tiles, for the sources that are compiled for it (AMX).
#pragma once

#include <immintrin.h>
#include <stdint.h>

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

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
