// Which kernels run on this processor: a fixed function of its vendor and features, never of a measurement, so that the
// same binary gives the same bits on every start.
#pragma once

#include <string>

namespace fedtune::nn {

enum class MatrixKernels {
  onednn,  // the oneDNN inside LibTorch, frozen weights packed
  aten,    // at::linear and at::mm (MKL)
};

MatrixKernels matrix_kernels();

// "gemm onednn, kernels avx512", for --version and the results.
std::string kernel_summary();

}  // namespace fedtune::nn
