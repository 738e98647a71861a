// The sets of kernels that this program holds.
#pragma once

#include "fedtune/nn/kernels/kernels.h"

namespace fedtune::nn::kernels {

#if defined(__x86_64__)
namespace avx512 {
extern const Kernels set;
}
namespace amx {
extern const Products products;  // beside the other kernels of avx512
}
namespace avx2 {
extern const Kernels set;
}
#endif
namespace portable {
extern const Kernels set;
}

}  // namespace fedtune::nn::kernels
