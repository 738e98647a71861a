// The sets of bf16 kernels that this program holds.
#pragma once

#include "fedtune/nn/kernels/bf16.h"

namespace fedtune::nn::kernels {

#if defined(__x86_64__)
namespace amx_bf16 {
extern const Bf16Kernels set;
}
namespace avx512_bf16 {
extern const Bf16Kernels set;
}
#endif
namespace portable_bf16 {
extern const Bf16Kernels set;
}

}  // namespace fedtune::nn::kernels
