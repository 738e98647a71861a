#include "fedtune/nn/dropout.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

namespace fedtune::nn {

at::Tensor dropout_mask(const Dropout& dropout, const RowIds& row_ids, std::int64_t rows, std::int64_t features) {
  at::Tensor mask = at::empty({rows, features}, at::kFloat);
  const at::Tensor ids = row_ids.defined() ? row_ids.to(at::kCPU, at::kInt).contiguous() : at::arange(rows, at::kInt);
  const std::int32_t* id = ids.const_data_ptr<std::int32_t>();
  float* element = mask.mutable_data_ptr<float>();
  const double limit = dropout.p * 0x1p32;
  const float scale = static_cast<float>(1.0 / (1.0 - dropout.p));
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t first = 0; first < features; first += 4) {
      const PhiloxBlock words =
          philox(dropout.key, {static_cast<std::uint32_t>(first / 4), static_cast<std::uint32_t>(id[row]), 0, 0});
      for (std::int64_t i = 0; i < 4 && first + i < features; ++i)
        element[row * features + first + i] = words[static_cast<std::size_t>(i)] < limit ? 0.0f : scale;
    }
  return mask;
}

}  // namespace fedtune::nn
