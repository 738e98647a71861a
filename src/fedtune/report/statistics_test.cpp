#include "fedtune/report/statistics.h"

#include <array>
#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

namespace fedtune::report {
namespace {

TEST(IncompleteBeta, AgreesWithItsClosedForms) {
  EXPECT_NEAR(incomplete_beta(0.4, {.a = 2, .b = 3}), 0.5248, 1e-14);          // a sum of binomials
  EXPECT_NEAR(incomplete_beta(0.25, {.a = 0.5, .b = 0.5}), 1.0 / 3.0, 1e-14);  // 2/pi asin sqrt x
  EXPECT_NEAR(incomplete_beta(0.7, {.a = 5, .b = 1}), std::pow(0.7, 5), 1e-14);
  EXPECT_EQ(incomplete_beta(0.0, {.a = 2, .b = 3}), 0.0);
  EXPECT_EQ(incomplete_beta(1.0, {.a = 2, .b = 3}), 1.0);
}

TEST(IncompleteBeta, IsSymmetric) {
  for (const double x : {0.01, 0.3, 0.5, 0.9, 0.999}) {
    EXPECT_NEAR(incomplete_beta(x, {.a = 0.5, .b = 4}) + incomplete_beta(1 - x, {.a = 4, .b = 0.5}), 1.0, 1e-13) << x;
  }
}

TEST(StudentT, IsCauchysForOneDegreeOfFreedom) {
  for (const double t : {-20.0, -1.0, 0.0, 0.5, 3.0}) {
    EXPECT_NEAR(student_t_cdf(t, {1}), 0.5 + std::atan(t) / std::numbers::pi, 1e-14) << t;
  }
}

TEST(StudentT, HasTheTabulatedQuantiles) {
  constexpr std::array<std::array<double, 2>, 6> table{{{1, 12.706204736},
                                                        {2, 4.302652730},
                                                        {4, 2.776445105},
                                                        {9, 2.262157163},
                                                        {29, 2.045229642},
                                                        {1000, 1.962339081}}};
  for (const auto& [degrees, quantile] : table) {
    EXPECT_NEAR(student_t_quantile(0.975, {degrees}), quantile, 1e-8) << degrees;
    EXPECT_NEAR(student_t_quantile(0.025, {degrees}), -quantile, 1e-8) << degrees;
  }
  EXPECT_EQ(student_t_quantile(0.5, {3}), 0.0);
}

TEST(Estimate, OfOneValueHasNoInterval) {
  const Estimate one = estimate(std::array{0.8});
  EXPECT_EQ(one.count, 1);
  EXPECT_EQ(one.mean, 0.8);
  EXPECT_FALSE(one.half_width);
}

TEST(Estimate, HasStudentsInterval) {
  const Estimate three = estimate(std::array{1.0, 2.0, 3.0});
  EXPECT_DOUBLE_EQ(three.mean, 2.0);
  EXPECT_NEAR(three.half_width.value_or(0.0), 4.302652730 / std::sqrt(3.0), 1e-8);
}

// scipy.stats.ttest_rel([.8, .82, .79, .85], [.78, .83, .75, .80])
TEST(PairedTTest, AgreesWithScipy) {
  const PairedTest test = paired_t_test(std::array<Pair, 4>{{{0.78, 0.8}, {0.83, 0.82}, {0.75, 0.79}, {0.80, 0.85}}});
  EXPECT_NEAR(test.p, 0.155181715328795, 1e-10);
  EXPECT_NEAR(test.difference.mean, 0.025, 1e-12);
  EXPECT_EQ(test.difference.count, 4);
}

TEST(PairedTTest, OfEqualDifferencesIsCertain) {
  EXPECT_EQ(paired_t_test(std::array<Pair, 2>{{{1, 1}, {2, 2}}}).p, 1.0);
  EXPECT_EQ(paired_t_test(std::array<Pair, 2>{{{1, 2}, {2, 3}}}).p, 0.0);
}

}  // namespace
}  // namespace fedtune::report
