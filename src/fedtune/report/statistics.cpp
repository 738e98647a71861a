#include "fedtune/report/statistics.h"

#include <cmath>
#include <limits>
#include <vector>

namespace fedtune::report {
namespace {

constexpr double tiny = 1e-300;
constexpr double epsilon = std::numeric_limits<double>::epsilon();

double away_from_zero(double value) {
  return std::abs(value) < tiny ? tiny : value;
}

// The fraction of DLMF 8.17.22 by the modified Lentz method (Thompson and Barnett 1986). Converges fast for
// x < (a + 1) / (a + b + 2).
double beta_fraction(double x, const BetaShape& shape) {
  constexpr int most_terms = 10'000;
  const auto [a, b] = shape;
  double c = 1.0;
  double d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
  double value = d;
  for (int m = 1; m < most_terms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double change = 1.0;
    for (const double term : {even, odd}) {
      d = 1.0 / away_from_zero(1.0 + term * d);
      c = away_from_zero(1.0 + term / c);
      change = c * d;
      value *= change;
    }
    if (std::abs(change - 1.0) <= epsilon) break;
  }
  return value;
}

// P(T > t) for t >= 0, without the loss of digits of 1 - cdf.
double upper_tail(double t, const Freedom& freedom) {
  const double n = freedom.degrees;
  return 0.5 * incomplete_beta(n / (n + t * t), {.a = n / 2.0, .b = 0.5});
}

double mean_of(std::span<const double> values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Of the mean: the sample's standard deviation over the root of its size.
double standard_error(std::span<const double> values, double mean) {
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const auto count = static_cast<double>(values.size());
  return std::sqrt(squares / (count - 1.0) / count);
}

}  // namespace

double incomplete_beta(double x, const BetaShape& shape) {
  const auto [a, b] = shape;
  if (x <= 0.0) return 0.0;
  if (x >= 1.0) return 1.0;
  const double log_front = std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x);
  if (x < (a + 1.0) / (a + b + 2.0)) return std::exp(log_front) * beta_fraction(x, shape) / a;
  return 1.0 - std::exp(log_front) * beta_fraction(1.0 - x, {.a = b, .b = a}) / b;
}

double student_t_cdf(double t, const Freedom& freedom) {
  return t > 0.0 ? 1.0 - upper_tail(t, freedom) : upper_tail(-t, freedom);
}

double student_t_quantile(double probability, const Freedom& freedom) {
  if (probability == 0.5) return 0.0;
  if (probability < 0.5) return -student_t_quantile(1.0 - probability, freedom);
  double low = 0.0, high = 1.0;
  while (student_t_cdf(high, freedom) < probability) high *= 2.0;
  // Halved until no double lies between.
  for (double middle = 0.5 * high; middle > low && middle < high; middle = low + 0.5 * (high - low)) {
    (student_t_cdf(middle, freedom) < probability ? low : high) = middle;
  }
  return high;
}

Estimate estimate(std::span<const double> values) {
  Estimate result{.count = static_cast<int>(values.size()), .mean = mean_of(values)};
  if (result.count > 1) {
    const Freedom freedom{static_cast<double>(result.count - 1)};
    result.half_width = student_t_quantile(0.975, freedom) * standard_error(values, result.mean);
  }
  return result;
}

PairedTest paired_t_test(std::span<const Pair> pairs) {
  std::vector<double> differences;
  differences.reserve(pairs.size());
  for (const Pair& pair : pairs) differences.push_back(pair.second - pair.first);
  PairedTest test{.difference = estimate(differences)};
  const double error = standard_error(differences, test.difference.mean);
  const double mean = std::abs(test.difference.mean);
  if (mean > 0.0) {
    test.p = error > 0.0 ? 2.0 * upper_tail(mean / error, {static_cast<double>(pairs.size() - 1)}) : 0.0;
  }
  return test;
}

}  // namespace fedtune::report
