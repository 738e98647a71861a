#include "fedtune/nn/kernels/kernels.h"

#include <cmath>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "fedtune/nn/kernels/select.h"

namespace fedtune::nn::kernels {
namespace {

class EveryKernelSet : public ::testing::TestWithParam<const Kernels*> {};
INSTANTIATE_TEST_SUITE_P(Kernels, EveryKernelSet, ::testing::ValuesIn(available()),
                         [](const auto& info) { return std::string(info.param->name); });

std::vector<float> grid(float from, float to, int count) {
  std::vector<float> x;
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
  GetParam()->column_sum(3, 3, x.data(), sum.data());
  EXPECT_EQ(sum, (std::vector<float>{112, 15, 18}));
}

TEST(Kernels, AlwaysHaveAPortableSet) {
  EXPECT_STREQ(available().back()->name, "portable");
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
