// Sums of many terms in double precision. The order of additions does not depend on how the terms come in pieces.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace fedtune::aggregate {

// In double precision no square of a float overflows, so a sum of squares is finite where every value is.
class LaneSum {
 public:
  static constexpr std::size_t lanes = 8;  // sums that go on beside each other, so that no addition waits for the last

  // The terms term_at(0) .. term_at(count - 1). All pieces but the last have a multiple of `lanes` terms.
  template <typename Term>
  void add(std::size_t count, Term&& term_at) {
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
      for (std::size_t lane = 0; lane < lanes; ++lane) sums_[lane] += term_at(i + lane);
    }
    for (; i < count; ++i) rest_ += term_at(i);
  }

  double total() const {
    double total = rest_;
    for (const double sum : sums_) total += sum;
    return total;
  }

 private:
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

inline double square(double value) {
  return value * value;
}

}  // namespace fedtune::aggregate
