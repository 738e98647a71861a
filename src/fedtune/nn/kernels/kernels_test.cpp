#include "fedtune/nn/kernels/kernels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/nn/kernels/select.h"
#include "fedtune/nn/kernels/testing.h"

namespace fedtune::nn::kernels {
namespace {

class EveryKernelSet : public ::testing::TestWithParam<const Kernels*> {};
INSTANTIATE_TEST_SUITE_P(Kernels, EveryKernelSet, ::testing::ValuesIn(available()),
                         [](const auto& info) { return std::string(info.param->name); });

std::vector<float> grid(float from, float to, int count) {
  std::vector<float> x;
  x.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    x.push_back(from + (to - from) * static_cast<float>(i) / static_cast<float>(count - 1));
  return x;
}

TEST_P(EveryKernelSet, ExponentialIsAccurate) {
  const std::vector<float> x = grid(-86.9f, 0.0f, 100003);
  std::vector<float> y(x.size());
  GetParam()->exp(static_cast<std::int64_t>(x.size()), x.data(), y.data());
  double worst = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, std::abs(y[i] / std::exp(double{x[i]}) - 1.0));
  EXPECT_LT(worst, 2e-7);
  EXPECT_EQ(y.back(), 1.0f);
}

TEST_P(EveryKernelSet, ExponentialKeepsExtremes) {
  const std::vector<float> x{-87.5f, -1e30f, -INFINITY, NAN};
  std::vector<float> y(x.size());
  GetParam()->exp(static_cast<std::int64_t>(x.size()), x.data(), y.data());
  EXPECT_EQ(y[0], 0.0f);
  EXPECT_EQ(y[1], 0.0f);
  EXPECT_EQ(y[2], 0.0f);
  EXPECT_TRUE(std::isnan(y[3]));
}

TEST_P(EveryKernelSet, TanhIsAccurate) {
  const std::vector<float> x = grid(-10.0f, 10.0f, 100003);
  std::vector<float> y(x.size());
  GetParam()->tanh(static_cast<std::int64_t>(x.size()), x.data(), y.data());
  double worst = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] != 0.0f) worst = std::max(worst, std::abs(y[i] / std::tanh(double{x[i]}) - 1.0));
  }
  EXPECT_LT(worst, 2e-7);
}

TEST_P(EveryKernelSet, TanhKeepsExtremes) {
  const std::vector<float> x{0.0f, 1e-30f, 1e30f, -INFINITY, NAN};
  std::vector<float> y(x.size());
  GetParam()->tanh(static_cast<std::int64_t>(x.size()), x.data(), y.data());
  EXPECT_THAT(std::span(y).first(4), ::testing::ElementsAre(0.0f, 1e-30f, 1.0f, -1.0f));
  EXPECT_TRUE(std::isnan(y[4]));
}

TEST_P(EveryKernelSet, GeluIsAccurate) {
  const std::vector<float> x = grid(-13.0f, 13.0f, 100003);
  std::vector<float> y(x.size()), derivative(x.size());
  GetParam()->gelu({.rows = 1,
                    .features = static_cast<std::int64_t>(x.size()),
                    .x = x.data(),
                    .bias = nullptr,
                    .y = y.data(),
                    .derivative = derivative.data()});
  double worst_value = 0.0, worst_tail = 0.0, worst_derivative = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double a = x[i];
    const double phi = 0.5 * std::erfc(-a / std::numbers::sqrt2);
    const double density = std::exp(-0.5 * a * a) / std::sqrt(2.0 * std::numbers::pi);
    worst_value = std::max(worst_value, std::abs(y[i] - a * phi) / (1e-3 + std::abs(a * phi)));
    if (a < -1e-3 && a > -6.0) worst_tail = std::max(worst_tail, std::abs(y[i] / (a * phi) - 1.0));
    worst_derivative = std::max(worst_derivative, std::abs(derivative[i] - (phi + a * density)));
  }
  EXPECT_LT(worst_value, 5e-7);
  EXPECT_LT(worst_tail, 3e-6);  // the rounding of x^2 / 2 in the exponent
  EXPECT_LT(worst_derivative, 3e-7);
}

TEST_P(EveryKernelSet, GeluKeepsExtremes) {
  const std::vector<float> x{-1e4f, 1e4f, NAN, 0.0f};
  std::vector<float> y(x.size());
  GetParam()->gelu({.rows = 1, .features = 4, .x = x.data(), .bias = nullptr, .y = y.data(), .derivative = nullptr});
  EXPECT_EQ(y[0], 0.0f);
  EXPECT_EQ(y[1], 1e4f);
  EXPECT_TRUE(std::isnan(y[2]));
  EXPECT_EQ(y[3], 0.0f);
}

TEST_P(EveryKernelSet, ColumnSumAddsEveryRow) {
  const std::vector<float> x{1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::vector<float> sum{100, 0, 0};
  GetParam()->column_sum({.rows = 3, .features = 3, .stride = 3, .x = x.data(), .sum = sum.data()});
  EXPECT_EQ(sum, (std::vector<float>{112, 15, 18}));
}

TEST_P(EveryKernelSet, TransposesMatrices) {
  for (const auto& [rows, columns] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {16, 32}, {19, 33}, {50, 7}}) {
    const std::int64_t stride = columns + 3;
    std::vector<float> x(static_cast<std::size_t>(rows * stride)), y(static_cast<std::size_t>(rows * columns));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
    GetParam()->transpose(rows, columns, x.data(), stride, y.data());
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j)
        ASSERT_EQ(y[static_cast<std::size_t>(j * rows + i)], static_cast<float>(i * stride + j)) << rows << columns;
  }
}

TEST_P(EveryKernelSet, FirstStepOfAdamWReadsNoMoments) {
  std::vector<float> gradient{0.0f, -0.0f, 1e-30f, -2.5f};
  for (int i = 0; i < 37; ++i) gradient.push_back(0.01f * static_cast<float>(i - 20));
  struct Side {
    std::vector<float> parameter, mean, square;
  };
  const std::size_t count = gradient.size();
  const auto step = [&](float moments, bool first) {
    Side side{std::vector<float>(count, 0.5f), std::vector<float>(count, moments), std::vector<float>(count, moments)};
    GetParam()->adamw({.count = static_cast<std::int64_t>(count),
                       .parameter = side.parameter.data(),
                       .gradient = gradient.data(),
                       .mean = side.mean.data(),
                       .square = side.square.data(),
                       .mean_share = 0.1f,
                       .square_kept = 0.999f,
                       .square_share = 0.001f,
                       .kept = 0.99f,
                       .step = 0.2f,
                       .root_correction = 31.6f,
                       .eps = 1e-6f,
                       .first = first});
    return side;
  };
  const auto bytes = [](const std::vector<float>& x) { return std::as_bytes(std::span(x)); };
  const Side zeros = step(0.0f, false), unwritten = step(std::nanf(""), true);
  EXPECT_TRUE(std::ranges::equal(bytes(zeros.parameter), bytes(unwritten.parameter)));
  EXPECT_TRUE(std::ranges::equal(bytes(zeros.mean), bytes(unwritten.mean)));
  EXPECT_TRUE(std::ranges::equal(bytes(zeros.square), bytes(unwritten.square)));
}

TEST_P(EveryKernelSet, FindsTheOneElementThatIsNotZero) {
  std::vector<float> x(37);
  x[5] = -0.0f;
  EXPECT_TRUE(GetParam()->is_zero(37, x.data()));
  for (float& element : x) {
    const float before = std::exchange(element, 1e-30f);
    EXPECT_FALSE(GetParam()->is_zero(37, x.data()));
    element = before;
  }
}

// A product to be computed, and its operands as they lie in memory.
struct ProductCase {
  std::int64_t rows, columns, depth;
  bool b_transposed, packed, biased;
};

class Operands {
 public:
  explicit Operands(const ProductCase& size)
      : size_(size),
        a_(ramp(size.rows * size.depth, 101)),
        b_(ramp(size.depth * size.columns, 103)),
        bias_(ramp(size.columns, 13)) {}

  std::vector<float> product(const Kernels& kernels) const {
    const Source b{.depth = size_.depth,
                   .columns = size_.columns,
                   .data = b_.data(),
                   .depth_stride = size_.b_transposed ? 1 : size_.columns,
                   .column_stride = size_.b_transposed ? size_.depth : 1};
    std::vector<float> packed(static_cast<std::size_t>(kernels.products.packed_size(size_.depth, size_.columns)));
    if (size_.packed) kernels.products.pack(b, packed.data());
    // What lies in scratch memory must not matter.
    std::vector<float> scratch(static_cast<std::size_t>(kernels.products.scratch_size(size_.packed)), NAN);
    std::vector<float> c(static_cast<std::size_t>(size_.rows * size_.columns) + 1, 1e9f);
    kernels.products.multiply({.rows = size_.rows,
                               .a = a_.data(),
                               .a_row_stride = size_.depth,
                               .b = b,
                               .packed = size_.packed ? packed.data() : nullptr,
                               .bias = size_.biased ? bias_.data() : nullptr,
                               .c = c.data(),
                               .c_row_stride = size_.columns,
                               .scratch = scratch.data()});
    EXPECT_EQ(c.back(), 1e9f) << "written behind the end";
    c.pop_back();
    return c;
  }

  double expected(std::int64_t i, std::int64_t j) const {
    double sum = size_.biased ? bias_[static_cast<std::size_t>(j)] : 0.0;
    for (std::int64_t k = 0; k < size_.depth; ++k) sum += double{a(i, k)} * b(k, j);
    return sum;
  }

  // The same in fp32.
  float chain(std::int64_t i, std::int64_t j) const {
    float sum = size_.biased ? bias_[static_cast<std::size_t>(j)] : 0.0f;
    for (std::int64_t k = 0; k < size_.depth; ++k) sum = std::fma(a(i, k), b(k, j), sum);
    return sum;
  }

 private:
  float a(std::int64_t i, std::int64_t k) const { return a_[static_cast<std::size_t>(i * size_.depth + k)]; }
  float b(std::int64_t k, std::int64_t j) const {
    return b_[static_cast<std::size_t>(size_.b_transposed ? j * size_.depth + k : k * size_.columns + j)];
  }

  ProductCase size_;
  std::vector<float> a_, b_, bias_;
};

// Tiles, panels, blocks and chunks, whole and in parts.
std::vector<ProductCase> product_cases() {
  std::vector<ProductCase> cases;
  for (const auto& [rows, columns, depth] : {std::array<std::int64_t, 3>{1, 1, 1},
                                             {8, 48, 5},
                                             {7, 50, 3},
                                             {13, 47, 20},
                                             {9, 200, 33},
                                             {5, 33, 1700},
                                             {50, 96, 400},
                                             {401, 32, 40},
                                             {17, 100, 256},
                                             {401, 32, 300},
                                             {790, 33, 270}})
    for (int bits = 0; bits < 8; ++bits)
      cases.push_back({rows, columns, depth, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0});
  return cases;
}

TEST_P(EveryKernelSet, MultipliesMatrices) {
  for (const ProductCase& size : product_cases()) {
    const Operands operands(size);
    const std::vector<float> c = operands.product(*GetParam());
    for (std::int64_t i = 0; i < size.rows; ++i)
      for (std::int64_t j = 0; j < size.columns; ++j)
        ASSERT_NEAR(c[static_cast<std::size_t>(i * size.columns + j)], operands.expected(i, j),
                    2e-6 * static_cast<double>(size.depth))
            << size.rows << " x " << size.columns << " x " << size.depth << ", element " << i << ", " << j;
  }
}

TEST_P(EveryKernelSet, MultipliesToTheSameBitsPackedOrNot) {
  for (ProductCase size : product_cases()) {
    size.packed = false;
    const std::vector<float> c = Operands(size).product(*GetParam());
    size.packed = true;
    ASSERT_EQ(Operands(size).product(*GetParam()), c) << size.rows << " x " << size.columns << " x " << size.depth;
  }
}

// Root mean square of what a product's elements are off their sums in double precision, and of what chains of fused
// multiply-adds are off, one for each element.
struct RootMeanSquares {
  double product, chains;
};
RootMeanSquares errors_of(const Kernels& kernels, const ProductCase& size) {
  const Operands operands(size);
  const std::vector<float> c = operands.product(kernels);
  double product = 0.0, chains = 0.0;
  for (std::int64_t i = 0; i < size.rows; ++i)
    for (std::int64_t j = 0; j < size.columns; ++j) {
      const double expected = operands.expected(i, j);
      product += std::pow(c[static_cast<std::size_t>(i * size.columns + j)] - expected, 2);
      chains += std::pow(operands.chain(i, j) - expected, 2);
    }
  const auto count = static_cast<double>(c.size());
  return {.product = std::sqrt(product / count), .chains = std::sqrt(chains / count)};
}

TEST_P(EveryKernelSet, MultipliesAsExactlyAsFp32) {
  for (const std::int64_t depth : {32, 256, 768, 3072}) {
    const RootMeanSquares errors =
        errors_of(*GetParam(),
                  {.rows = 40, .columns = 64, .depth = depth, .b_transposed = true, .packed = true, .biased = false});
    EXPECT_GT(errors.chains, 0.0);
    EXPECT_LE(errors.product, 1.1 * errors.chains) << depth;
  }
}

// Row-major matrices of any elements: a [rows, depth], b [depth, columns].
std::vector<float> multiply(const Kernels& kernels, std::int64_t depth, const std::vector<float>& a,
                            const std::vector<float>& b) {
  const auto rows = static_cast<std::int64_t>(a.size()) / depth, columns = static_cast<std::int64_t>(b.size()) / depth;
  std::vector<float> c(static_cast<std::size_t>(rows * columns));
  std::vector<float> scratch(static_cast<std::size_t>(kernels.products.scratch_size(/*packed=*/false)));
  kernels.products.multiply(
      {.rows = rows,
       .a = a.data(),
       .a_row_stride = depth,
       .b = {.depth = depth, .columns = columns, .data = b.data(), .depth_stride = columns, .column_stride = 1},
       .packed = nullptr,
       .bias = nullptr,
       .c = c.data(),
       .c_row_stride = columns,
       .scratch = scratch.data()});
  return c;
}

TEST_P(EveryKernelSet, KeepsWhatIsNoNumberInItsRow) {
  constexpr std::int64_t rows = 40, columns = 33;
  for (const std::int64_t depth : {50, 300}) {
    std::vector<float> a(static_cast<std::size_t>(rows * depth), 1.0f);
    a[static_cast<std::size_t>(3 * depth + 7)] = NAN;
    a[static_cast<std::size_t>(20 * depth + 49)] = INFINITY;
    const std::vector<float> c =
        multiply(*GetParam(), depth, a, std::vector<float>(static_cast<std::size_t>(depth * columns), 0.5f));
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j) {
        const float element = c[static_cast<std::size_t>(i * columns + j)];
        ASSERT_EQ(std::isfinite(element), i != 3 && i != 20) << i << ", " << j;
        if (std::isfinite(element)) {
          ASSERT_EQ(element, 0.5f * static_cast<float>(depth)) << i << ", " << j;
        }
      }
  }
}

TEST_P(EveryKernelSet, KeepsWhatIsNoNumberInItsColumn) {
  constexpr std::int64_t rows = 3, columns = 40;
  for (const std::int64_t depth : {50, 300}) {
    std::vector<float> b(static_cast<std::size_t>(depth * columns), 0.5f);
    b[static_cast<std::size_t>(49 * columns + 35)] = NAN;
    const std::vector<float> c =
        multiply(*GetParam(), depth, std::vector<float>(static_cast<std::size_t>(rows * depth), 1.0f), b);
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j)
        ASSERT_EQ(std::isfinite(c[static_cast<std::size_t>(i * columns + j)]), j != 35) << i << ", " << j;
  }
}

// Rows and columns of any size, most of their elements far below the largest.
TEST_P(EveryKernelSet, IsOffByLittleOfTheLargestElements) {
  constexpr std::int64_t rows = 21, columns = 37, depth = 500;
  const auto spread = [](std::int64_t lines, std::int64_t stride, std::int64_t step) {
    std::vector<float> x = ramp(lines * depth, 97);
    for (std::int64_t line = 0; line < lines; ++line)
      for (std::int64_t k = 0; k < depth; ++k) {
        float& element = x[static_cast<std::size_t>(line * stride + k * step)];
        element *= std::ldexp(k % 100 == line ? 1.0f : 0.001f, static_cast<int>(2 * line) - 40);
      }
    return x;
  };
  const std::vector<float> a = spread(rows, depth, 1), b = spread(columns, 1, columns);
  const std::vector<float> c = multiply(*GetParam(), depth, a, b);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) {
      double sum = 0.0, largest_a = 0.0, largest_b = 0.0;
      for (std::int64_t k = 0; k < depth; ++k) {
        const double x = a[static_cast<std::size_t>(i * depth + k)], y = b[static_cast<std::size_t>(k * columns + j)];
        sum += x * y;
        largest_a = std::max(largest_a, std::abs(x));
        largest_b = std::max(largest_b, std::abs(y));
      }
      ASSERT_NEAR(c[static_cast<std::size_t>(i * columns + j)], sum, 32 * 0x1p-23 * largest_a * largest_b)
          << i << ", " << j;
    }
}

// Elements that are small beside the largest, all of one sign: what is left out of their products would add up.
TEST_P(EveryKernelSet, CountsThePartsOfSmallElements) {
  constexpr std::int64_t depth = 500, rows = 3, columns = 5;
  constexpr float small = 25700.0f / 0x1p22f;
  std::vector<float> a(rows * depth, small), b(depth * columns, small);
  for (std::int64_t i = 0; i < rows; ++i) a[static_cast<std::size_t>(i * depth + i)] = 1.0f;
  for (std::int64_t j = 0; j < columns; ++j) b[static_cast<std::size_t>((100 + j) * columns + j)] = 1.0f;
  constexpr double expected = (depth - 2) * (double{small} * small) + 2 * small;
  for (const float element : multiply(*GetParam(), depth, a, b)) EXPECT_NEAR(element / expected, 1.0, 2e-5);
}

TEST(Kernels, AlwaysHaveAPortableSet) {
  EXPECT_STREQ(available().back()->name, "portable");
}

TEST(Kernels, AreFoundByName) {
  for (const Kernels* set : available()) EXPECT_EQ(find(set->name), set);
  EXPECT_EQ(find("mmx"), nullptr);
}

TEST(Kernels, CanBeChosenForAllThreads) {
  use_on_all_threads(*available().back());
  const Kernels* elsewhere = nullptr;
  std::thread([&] { elsewhere = &active(); }).join();
  use_on_all_threads(*available().front());
  EXPECT_EQ(elsewhere, available().back());
}

TEST(Kernels, CanBeForcedForAThread) {
  const Kernels& usual = active();
  {
    const UseKernels use(*available().back());
    EXPECT_EQ(&active(), available().back());
  }
  EXPECT_EQ(&active(), &usual);
}

}  // namespace
}  // namespace fedtune::nn::kernels
