// What a handful of repetitions says: means with their intervals, and paired comparisons.
//
// Student's t distribution through the regularised incomplete beta function: NIST Digital Library of Mathematical
// Functions, https://dlmf.nist.gov, 8.17.22 (continued fraction) and 8.17.4 (symmetry); Abramowitz and Stegun,
// Handbook of Mathematical Functions, 26.5.27 and 26.7.1 (its link to t). The paired test is Student's one-sample test
// on the differences ("The probable error of a mean", Biometrika 6, 1908).
#pragma once

#include <optional>
#include <span>

namespace fedtune::report {

// I_x(a, b) for a, b > 0 and 0 <= x <= 1.
struct BetaShape {
  double a = 1.0;
  double b = 1.0;
};
double incomplete_beta(double x, const BetaShape& shape);

// A degree of freedom is a number of observations less what was estimated from them.
struct Freedom {
  double degrees = 1.0;
};
// P(T <= t).
double student_t_cdf(double t, const Freedom& freedom);
// The t with P(T <= t) = probability, 0 < probability < 1.
double student_t_quantile(double probability, const Freedom& freedom);

struct Estimate {
  int count = 0;
  double mean = 0.0;
  // The 95 % interval is mean - half_width .. mean + half_width; unset for a single observation.
  std::optional<double> half_width{};
};
// `values` holds at least one.
Estimate estimate(std::span<const double> values);

struct PairedTest {
  Estimate difference;  // of a pair: second less first
  double p = 1.0;       // two-sided: of a mean difference at least as far from 0 were there none
};
struct Pair {
  double first = 0.0;
  double second = 0.0;
};
// At least two pairs. Differences that are all the same have p = 1 when they are 0, else p = 0.
PairedTest paired_t_test(std::span<const Pair> pairs);

}  // namespace fedtune::report
