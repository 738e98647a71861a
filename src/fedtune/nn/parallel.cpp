// The one file that is compiled with OpenMP: without it, at::parallel_for is a plain loop.
#include "fedtune/nn/parallel.h"

#include <ATen/Parallel.h>

#ifndef INTRA_OP_PARALLEL
#error "compile this file with -fopenmp: torch's threads are OpenMP's"
#endif

namespace fedtune::nn {

void parallel_rows(std::int64_t rows, std::int64_t fewest,
                   const std::function<void(std::int64_t first, std::int64_t last)>& body) {
  at::parallel_for(0, rows, fewest, body);
}

}  // namespace fedtune::nn
