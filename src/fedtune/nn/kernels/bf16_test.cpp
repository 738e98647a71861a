#include "fedtune/nn/kernels/bf16.h"

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "fedtune/base/cpu.h"
#include "fedtune/nn/kernels/testing.h"

namespace fedtune::nn::kernels {
namespace {

class EveryBf16Set : public ::testing::TestWithParam<const Bf16Kernels*> {};
INSTANTIATE_TEST_SUITE_P(Kernels, EveryBf16Set, ::testing::ValuesIn(available_bf16()),
                         [](const auto& info) { return std::string(info.param->name); });

// By the definition: of the two neighbours the nearer, of two as near the one with an even last bit.
float nearest_bf16(float x) {
  const auto below = std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0xFFFF0000U);
  const auto above = std::bit_cast<float>((std::bit_cast<std::uint32_t>(x) & 0xFFFF0000U) + 0x10000U);
  const double down = std::abs(double{x} - below), up = std::abs(double{above} - x);
  if (down != up) return down < up ? below : above;
  return (std::bit_cast<std::uint32_t>(below) & 0x10000U) == 0 ? below : above;
}

std::vector<float> rounded(std::vector<float> x) {
  for (float& value : x) value = nearest_bf16(value);
  return x;
}

struct Shape {
  std::int64_t rows, columns, depth;
  bool transposed, biased;
};

class Bf16Operands {
 public:
  explicit Bf16Operands(const Shape& shape)
      : shape_(shape),
        a_(ramp(shape.rows * shape.depth, 1009)),
        b_(ramp(shape.depth * shape.columns, 1013)),
        bias_(ramp(shape.columns, 13)),
        rounded_a_(rounded(a_)),
        rounded_b_(rounded(b_)) {}

  // Rows first .. last - 1 of the product.
  std::vector<float> product(const Bf16Kernels& kernels, std::int64_t first, std::int64_t last) const {
    std::vector<std::uint16_t> packed(static_cast<std::size_t>(kernels.packed_size(shape_.depth, shape_.columns)));
    kernels.pack({.depth = shape_.depth,
                  .columns = shape_.columns,
                  .data = b_.data(),
                  .depth_stride = shape_.transposed ? 1 : shape_.columns,
                  .column_stride = shape_.transposed ? shape_.depth : 1},
                 packed.data());
    // What lies in scratch memory must not matter: NaN in bf16.
    std::vector<std::uint16_t> scratch(static_cast<std::size_t>(kernels.scratch_size(last - first, shape_.depth)),
                                       0x7FFF);
    std::vector<float> c(static_cast<std::size_t>((last - first) * shape_.columns) + 1, 1e9f);
    kernels.product({.rows = last - first,
                     .depth = shape_.depth,
                     .columns = shape_.columns,
                     .a = a_.data() + first * shape_.depth,
                     .packed = packed.data(),
                     .bias = shape_.biased ? bias_.data() : nullptr,
                     .c = c.data(),
                     .scratch = scratch.data()});
    EXPECT_EQ(c.back(), 1e9f) << "written behind the end";
    c.pop_back();
    return c;
  }
  std::vector<float> product(const Bf16Kernels& kernels) const { return product(kernels, 0, shape_.rows); }

  double expected(std::int64_t i, std::int64_t j) const {
    double sum = shape_.biased ? bias_[static_cast<std::size_t>(j)] : 0.0;
    for (std::int64_t k = 0; k < shape_.depth; ++k) {
      const auto b = static_cast<std::size_t>(shape_.transposed ? j * shape_.depth + k : k * shape_.columns + j);
      sum += double{rounded_a_[static_cast<std::size_t>(i * shape_.depth + k)]} * rounded_b_[b];
    }
    return sum;
  }

 private:
  Shape shape_;
  std::vector<float> a_, b_, bias_, rounded_a_, rounded_b_;
};

// Tiles, blocks and groups of panels, whole and in parts.
std::vector<Shape> shapes() {
  std::vector<Shape> list;
  for (const auto& [rows, columns, depth] : {std::array<std::int64_t, 3>{1, 1, 1},
                                             {32, 32, 32},
                                             {16, 16, 64},
                                             {17, 33, 31},
                                             {15, 47, 33},
                                             {65, 64, 96},
                                             {40, 70, 17},
                                             {33, 300, 1700}})
    for (int bits = 0; bits < 4; ++bits)
      list.push_back(
          {.rows = rows, .columns = columns, .depth = depth, .transposed = (bits & 1) != 0, .biased = (bits & 2) != 0});
  return list;
}

TEST_P(EveryBf16Set, MultipliesWhatIsRounded) {
  for (const Shape& shape : shapes()) {
    const Bf16Operands operands(shape);
    const std::vector<float> c = operands.product(*GetParam());
    for (std::int64_t i = 0; i < shape.rows; ++i)
      for (std::int64_t j = 0; j < shape.columns; ++j)
        ASSERT_NEAR(c[static_cast<std::size_t>(i * shape.columns + j)], operands.expected(i, j),
                    1e-6 + 1e-7 * static_cast<double>(shape.depth))
            << shape.rows << " x " << shape.columns << " x " << shape.depth << ", element " << i << ", " << j;
  }
}

TEST_P(EveryBf16Set, GivesARowTheSameBitsInAnyPart) {
  for (const Shape& shape : shapes()) {
    const Bf16Operands operands(shape);
    const std::vector<float> whole = operands.product(*GetParam());
    for (const std::int64_t first : {shape.rows / 3, shape.rows - 1}) {
      const std::vector<float> part = operands.product(*GetParam(), first, shape.rows);
      const std::vector<float> same(whole.begin() + first * shape.columns, whole.end());
      ASSERT_EQ(part, same) << shape.rows << " x " << shape.columns << " x " << shape.depth << " from " << first;
    }
  }
}

// One element: x times y.
float times(const Bf16Kernels& kernels, float x, float y) {
  std::vector<std::uint16_t> packed(static_cast<std::size_t>(kernels.packed_size(1, 1)));
  kernels.pack({.depth = 1, .columns = 1, .data = &y, .depth_stride = 1, .column_stride = 1}, packed.data());
  std::vector<std::uint16_t> scratch(static_cast<std::size_t>(kernels.scratch_size(1, 1)));
  float c = 0.0f;
  kernels.product({.rows = 1,
                   .depth = 1,
                   .columns = 1,
                   .a = &x,
                   .packed = packed.data(),
                   .bias = nullptr,
                   .c = &c,
                   .scratch = scratch.data()});
  return c;
}

TEST_P(EveryBf16Set, RoundsToTheNearestWithTiesToEven) {
  for (const float x : {1.0f, 1.00390625f, 1.01171875f, 1.0039063f, 1.0039062f, -1.00390625f, 3.1415927f, 3e38f}) {
    EXPECT_EQ(times(*GetParam(), x, 1.0f), nearest_bf16(x)) << x;
    EXPECT_EQ(times(*GetParam(), 1.0f, x), nearest_bf16(x)) << x;
  }
}

TEST_P(EveryBf16Set, KeepsWhatIsNotFinite) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(times(*GetParam(), infinity, 2.0f), infinity);
  EXPECT_EQ(times(*GetParam(), 2.0f, -infinity), -infinity);
  const auto narrow_nan = std::bit_cast<float>(0x7F800001U);  // its upper half alone would be an infinity
  EXPECT_TRUE(std::isnan(times(*GetParam(), narrow_nan, 1.0f)));
  EXPECT_TRUE(std::isnan(times(*GetParam(), 1.0f, narrow_nan)));
}

TEST_P(EveryBf16Set, CountsSubnormalNumbersAsZero) {
  EXPECT_EQ(times(*GetParam(), 1e-39f, 1e30f), 0.0f);
  EXPECT_EQ(times(*GetParam(), 1e30f, 1e-39f), 0.0f);
}

TEST(Bf16, IsSupportedOrSaysWhyNot) {
  const Bf16Support& support = bf16_support();
  EXPECT_EQ(support.kernels == nullptr, !support.reason.empty());
  const CpuFeatures& features = cpu_features();
  if (!features.amx_bf16 && !(features.avx512_bf16 && features.amd)) {
    EXPECT_EQ(support.kernels, nullptr);
  }
}

TEST(Bf16, AlwaysHasAPortableSet) {
  EXPECT_STREQ(available_bf16().back()->name, "portable_bf16");
}

}  // namespace
}  // namespace fedtune::nn::kernels
