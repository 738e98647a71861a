#include "fedtune/nn/fused.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/ops/empty.h>

#include "fedtune/nn/kernels/select.h"
#include "fedtune/nn/ops.h"
#include "fedtune/nn/parallel.h"

namespace fedtune::nn {
namespace {
thread_local int plain_depth = 0;
}

PlainScope::PlainScope() {
  ++plain_depth;
}
PlainScope::~PlainScope() {
  --plain_depth;
}
bool PlainScope::active() {
  return plain_depth > 0;
}

bool use_kernels(const at::Tensor& x) {
  return !PlainScope::active() && x.is_cpu() && x.scalar_type() == at::kFloat;
}

kernels::Drop drop_of(const Dropout& dropout, const RowIds& row_ids) {
  // word < p * 2^32 for a whole number: below its ceiling.
  const double limit = std::min(std::ceil(dropout.p * 0x1p32), 0x1p32 - 1.0);
  return {.key = {dropout.key[0], dropout.key[1]},
          .threshold = static_cast<std::uint32_t>(limit),
          .scale = static_cast<float>(1.0 / (1.0 - dropout.p)),
          .row_ids = row_ids.defined() ? row_ids.const_data_ptr<std::int32_t>() : nullptr};
}

at::Tensor scratch_rows(std::int64_t rows, std::int64_t features) {
  const std::int64_t padded = (features + kernels::padding - 1) / kernels::padding * kernels::padding;
  return at::empty({rows * padded}, at::kFloat);
}

at::Tensor column_sum(const at::Tensor& x) {
  at::Tensor sum = at::zeros({x.size(1)}, at::kFloat);
  const kernels::Kernels& set = kernels::active();
  parallel_columns(x.size(1), [&](std::int64_t first, std::int64_t last) {
    set.column_sum({.rows = x.size(0),
                    .features = last - first,
                    .stride = x.size(1),
                    .x = read(x) + first,
                    .sum = write(sum) + first});
  });
  return sum;
}

}  // namespace fedtune::nn
