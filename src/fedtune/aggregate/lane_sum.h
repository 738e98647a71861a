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
  // Terms of `count` values (lane_loops.h). All pieces but the last have a multiple of `lanes` values.
  friend void add_squares(std::size_t count, const float* x, LaneSum& sum) {
    lane_loops().squares(count, x, sum.sums_.data());
  }
  friend void add_lengths(std::size_t count, const float* x, const float* y, LaneSum& whole, LaneSum& change) {
    lane_loops().lengths(count, x, y, whole.sums_.data(), change.sums_.data());
  }
  friend void add_angle(std::size_t count, const float* x, const float* y, const float* z, LaneSum& change,
                        LaneSum& product) {
    lane_loops().angle(count, x, y, z, change.sums_.data(), product.sums_.data());
  }

  double total() const {
    double total = sums_.back();
    for (std::size_t lane = 0; lane < lanes; ++lane) total += sums_[lane];
    return total;
  }

 private:
  std::array<double, lanes + 1> sums_{};
};

// Calls take(begin, count) for one piece of so many values after the other. Pieces stay in the processor's cache, for
// several sums of the same values or to hash them too; they are such as LaneSum takes.
template <typename Take>
void for_each_piece(std::size_t values, Take&& take) {
  constexpr std::size_t piece = std::size_t{64} << 10U;
  static_assert(piece % lanes == 0);
  for (std::size_t begin = 0; begin < values; begin += piece) take(begin, std::min(piece, values - begin));
}

}  // namespace fedtune::aggregate
