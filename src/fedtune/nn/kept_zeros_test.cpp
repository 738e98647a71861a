#include "fedtune/nn/kept_zeros.h"

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace fedtune::nn {
namespace {

constexpr std::int64_t rows = 3'000, features = 4'096;  // 49 MB

TEST(KeptZeros, AreZeroInMemoryThatWasWrittenBefore) {
  const void* memory = nullptr;
  for (int turn = 0; turn < 2; ++turn) {
    const at::Tensor table = kept_zeros({rows, features});
    EXPECT_TRUE(memory == nullptr || memory == table.const_data_ptr());
    memory = table.const_data_ptr();
    EXPECT_EQ(table.count_nonzero().item<std::int64_t>(), 0);
    table.fill_(1.0f);
  }
}

TEST(KeptZeros, AreNotSharedByTwoThatLive) {
  const at::Tensor one = kept_zeros({rows, features}), other = kept_zeros({rows, features});
  one.fill_(1.0f);
  EXPECT_EQ(other.count_nonzero().item<std::int64_t>(), 0);
}

TEST(KeptZeros, StayAsLongAsAViewOfThem) {
  at::Tensor view;
  {
    const at::Tensor table = kept_zeros({rows, features});
    table.fill_(2.0f);
    view = table[rows - 1];
  }
  kept_zeros({rows, features}).fill_(3.0f);
  EXPECT_EQ(view.min().item<float>(), 2.0f);
}

TEST(KeptZeros, AreAnySmallTensorToo) {
  const at::Tensor small = kept_zeros({2, 3});
  EXPECT_EQ(small.sizes(), (at::IntArrayRef{2, 3}));
  EXPECT_EQ(small.count_nonzero().item<std::int64_t>(), 0);
}

}  // namespace
}  // namespace fedtune::nn
