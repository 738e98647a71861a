#include "fedtune/data/split.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fedtune::data {

std::int64_t percent_to_row(int percent, std::int64_t rows) {
  const std::int64_t hundredths = percent * rows;
  const std::int64_t floor = hundredths / 100;
  const std::int64_t rest = hundredths % 100;
  const bool up = rest > 50 || (rest == 50 && floor % 2 == 1);
  return floor + (up ? 1 : 0);
}

RowRange client_rows(const PercentSplit& split, int rank, std::int64_t rows) {
  const auto boundary = [&](int k) {
    return split.public_percent + k * (100 - split.public_percent) / split.num_clients;
  };
  return {.begin = percent_to_row(boundary(rank - 1), rows), .end = percent_to_row(boundary(rank), rows)};
}

std::vector<std::int64_t> equal_counts(int parts, std::int64_t rows) {
  std::vector<std::int64_t> counts;
  for (std::int64_t k = 0; k < parts; ++k) counts.push_back((k + 1) * rows / parts - k * rows / parts);
  return counts;
}

std::vector<std::int64_t> largest_remainder(std::span<const double> weights, std::int64_t rows) {
  std::vector<std::int64_t> counts(weights.size());
  std::vector<double> remainders(weights.size());
  std::int64_t left = rows;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double exact = weights[i] * static_cast<double>(rows);
    counts[i] = std::min(left, static_cast<std::int64_t>(std::floor(exact)));
    remainders[i] = exact - static_cast<double>(counts[i]);
    left -= counts[i];
  }
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return remainders[a] > remainders[b]; });
  for (std::size_t i = 0; left > 0; i = (i + 1) % order.size(), --left) ++counts[order[i]];
  return counts;
}

}  // namespace fedtune::data
