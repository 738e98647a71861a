#include "fedtune/nn/kernel_table.h"

#include "fedtune/base/cpu.h"
#include "fedtune/nn/kernels/select.h"
#include "fedtune/nn/onednn.h"

namespace fedtune::nn {
namespace {

// Measured (fp32, one core, GF/s): Zen 5 oneDNN 250-274, MKL 107-119; Zen 4 104-113, 80-102; Emerald Rapids 147-179,
// 140-175. Below AVX2 oneDNN has no kernels of its own worth packing for.
MatrixKernels choose() {
  return onednn::available() && cpu_features().avx2_fma ? MatrixKernels::onednn : MatrixKernels::aten;
}

}  // namespace

MatrixKernels matrix_kernels() {
  static const MatrixKernels chosen = choose();
  return chosen;
}

std::string kernel_summary() {
  const std::string gemm = matrix_kernels() == MatrixKernels::onednn ? "onednn" : "aten";
  return "gemm " + gemm + ", kernels " + kernels::active().name;
}

}  // namespace fedtune::nn
