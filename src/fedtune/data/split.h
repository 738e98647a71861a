// Cutting rows into shares: the reference's percentages, equal parts, and proportions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fedtune::data {

// Rows begin .. end - 1.
struct RowRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  bool operator==(const RowRange&) const = default;
};

// percent * rows / 100, rounded to the nearest integer, halves to the even one: the datasets library's "closest".
std::int64_t percent_to_row(int percent, std::int64_t rows);

struct PercentSplit {
  int public_percent = 20;  // P: the server's share is [0 %, P %)
  int num_clients = 4;      // N
};

// Client `rank` of 1 .. N owns per cent P + (rank - 1)(100 - P) / N up to P + rank (100 - P) / N, in integer division.
RowRange client_rows(const PercentSplit& split, int rank, std::int64_t rows);

// `rows` in as many parts as there are clients, sizes differing by at most one.
std::vector<std::int64_t> equal_counts(int parts, std::int64_t rows);

// Whole numbers nearest to weights[i] * rows that sum to rows: floors, then one more for the largest remainders (the
// first of equal ones). The weights sum to 1.
std::vector<std::int64_t> largest_remainder(std::span<const double> weights, std::int64_t rows);

}  // namespace fedtune::data
