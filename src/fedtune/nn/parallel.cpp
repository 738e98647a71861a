// The one file that is compiled with OpenMP: without it, at::parallel_for is a plain loop.
#include "fedtune/nn/parallel.h"

#include <algorithm>

#include <ATen/Parallel.h>

#include "fedtune/base/flush_denormals.h"

#ifndef INTRA_OP_PARALLEL
#error "compile this file with -fopenmp: torch's threads are OpenMP's"
#endif

namespace fedtune::nn {

void parallel_rows(std::int64_t rows, std::int64_t fewest,
                   const std::function<void(std::int64_t first, std::int64_t last)>& body) {
  at::parallel_for(0, rows, fewest, [&](std::int64_t first, std::int64_t last) {
    const FlushDenormals flush;
    body(first, last);
  });
}

void parallel_columns(std::int64_t columns, const std::function<void(std::int64_t first, std::int64_t last)>& body) {
  constexpr std::int64_t step = 64, fewest_steps = 4;
  parallel_rows((columns + step - 1) / step, fewest_steps,
                [&](std::int64_t first, std::int64_t last) { body(first * step, std::min(last * step, columns)); });
}

}  // namespace fedtune::nn
