// Products with a frozen matrix in bf16: both operands rounded to the nearest bf16, the sums in fp32.
//
// Apart from kernels.h, because a processor may have these beside any of its sets. Plain data only, as there. An
// element is one chain of additions in the order of depth, so that its bits depend neither on the number of rows nor on
// that of threads; they do depend on the instruction, which the results name.
#pragma once

#include <string>
#include <vector>

#include "fedtune/nn/kernels/kernels.h"

namespace fedtune::nn::kernels {

// c = a b + bias: a [rows, depth] and c [rows, columns], row-major, without gaps.
struct Bf16Product {
  int64_t rows, depth, columns;
  const float* a;
  const uint16_t* packed;  // b as `pack` of the same set laid it out
  const float* bias;       // [columns], or null
  float* c;
  uint16_t* scratch;  // `scratch_size` elements
};

struct Bf16Kernels {
  const char* name;
  int64_t (*packed_size)(int64_t depth, int64_t columns);
  void (*pack)(const Source& b, uint16_t* packed);
  int64_t (*scratch_size)(int64_t rows, int64_t depth);
  void (*product)(const Bf16Product&);
};

struct Bf16Support {
  const Bf16Kernels* kernels;  // at twice the rate of fp32 or more; or null
  std::string reason;          // why there are none
};
// Found once. On Intel's processors this asks the operating system for the state of the matrix unit.
const Bf16Support& bf16_support();

// Every set this processor can run, however slow; the portable one is the last. For tests.
const std::vector<const Bf16Kernels*>& available_bf16();

}  // namespace fedtune::nn::kernels
