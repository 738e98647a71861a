// Sums of many terms in double precision. The order of additions does not depend on how the terms come in pieces.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "fedtune/aggregate/lane_loops.h"

namespace fedtune::aggregate {

// In double precision no square of a float overflows, so a sum of squares is finite where every value is.
class LaneSum {
 public:
  static constexpr std::size_t lanes = 8;  // sums that go on beside each other, so that no addition waits for the last

  // Terms of `count` values (lane_loops.h). All pieces but the last have a multiple of `lanes` values.
  void add_squares(std::size_t count, const float* x) {
    const std::size_t whole = count / lanes * lanes;
    lane_loops().squares(whole, x, sums_.data());
    for (std::size_t i = whole; i < count; ++i) rest_ += square(x[i]);
  }
  void add_squared_differences(std::size_t count, const float* x, const float* y) {
    const std::size_t whole = count / lanes * lanes;
    lane_loops().squared_differences(whole, x, y, sums_.data());
    for (std::size_t i = whole; i < count; ++i) rest_ += square(double{x[i]} - double{y[i]});
  }
  void add_products_of_differences(std::size_t count, const float* x, const float* y, const float* z) {
    const std::size_t whole = count / lanes * lanes;
    lane_loops().products_of_differences(whole, x, y, z, sums_.data());
    for (std::size_t i = whole; i < count; ++i) rest_ += (double{x[i]} - y[i]) * (double{z[i]} - y[i]);
  }

  double total() const {
    double total = rest_;
    for (const double sum : sums_) total += sum;
    return total;
  }

 private:
  static double square(double value) { return value * value; }
  std::array<double, lanes> sums_{};
  double rest_ = 0.0;
};

// Calls take(begin, count) for one piece of so many values after the other. Pieces stay in the processor's cache, for
// several sums of the same values or to hash them too; they are such as LaneSum takes.
template <typename Take>
void for_each_piece(std::size_t values, Take&& take) {
  constexpr std::size_t piece = std::size_t{64} << 10U;
  static_assert(piece % LaneSum::lanes == 0);
  for (std::size_t begin = 0; begin < values; begin += piece) take(begin, std::min(piece, values - begin));
}

}  // namespace fedtune::aggregate
