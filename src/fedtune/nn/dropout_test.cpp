#include "fedtune/nn/dropout.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "fedtune/nn/fused.h"
#include "fedtune/nn/kernels/select.h"

namespace fedtune::nn {
namespace {

constexpr PhiloxKey key{0x12345678u, 0x9ABCDEF0u};

at::Tensor kernel_mask(const kernels::Kernels& set, const Dropout& dropout, const RowIds& row_ids, std::int64_t rows,
                       std::int64_t features) {
  at::Tensor mask = at::empty({rows, features}, at::kFloat);
  set.mask(rows, features, drop_of(dropout, row_ids), mask.mutable_data_ptr<float>());
  return mask;
}

TEST(Dropout, KeepsTheShareItShould) {
  const at::Tensor mask = dropout_mask({.p = 0.1, .key = key}, {}, 500, 400);
  // 200,000 draws: a standard deviation of 0.00067.
  EXPECT_NEAR((mask > 0).to(at::kDouble).mean().item<double>(), 0.9, 0.003);
}

TEST(Dropout, ScalesWhatItKeeps) {
  const at::Tensor mask = dropout_mask({.p = 0.25, .key = key}, {}, 8, 64);
  EXPECT_EQ(mask.max().item<float>(), static_cast<float>(1.0 / 0.75));
  EXPECT_EQ(mask.min().item<float>(), 0.0f);
}

TEST(Dropout, DiffersBetweenKeys) {
  const at::Tensor a = dropout_mask({.p = 0.5, .key = key}, {}, 16, 64);
  const at::Tensor b = dropout_mask({.p = 0.5, .key = {1, 2}}, {}, 16, 64);
  EXPECT_NEAR((a == b).to(at::kDouble).mean().item<double>(), 0.5, 0.1);
}

TEST(Dropout, IsTheSameForPrunedRows) {
  const Dropout dropout{.p = 0.3, .key = key};
  const at::Tensor row_ids = at::tensor({0, 7, 12}, at::kInt);
  const at::Tensor whole = dropout_mask(dropout, {}, 20, 70);
  EXPECT_TRUE(at::equal(dropout_mask(dropout, row_ids, 3, 70), whole.index_select(0, row_ids)));
}

TEST(Dropout, IsTheSameInEveryKernelSet) {
  const at::Tensor row_ids = at::tensor({3, 900000, 12}, at::kInt);
  for (const kernels::Kernels* set : kernels::available())
    for (const std::int64_t features : {1, 3, 16, 70, 768})
      for (const double p : {0.1, 0.5, 0.999}) {
        const Dropout dropout{.p = p, .key = key};
        EXPECT_TRUE(at::equal(kernel_mask(*set, dropout, {}, 3, features), dropout_mask(dropout, {}, 3, features)))
            << set->name << ", " << features << " features, p " << p;
        EXPECT_TRUE(
            at::equal(kernel_mask(*set, dropout, row_ids, 3, features), dropout_mask(dropout, row_ids, 3, features)))
            << set->name << " with row ids, " << features << " features, p " << p;
      }
}

}  // namespace
}  // namespace fedtune::nn
