// Sums of squares in double precision, in an order of additions that does not depend on how the values come in pieces.
#pragma once

#include <array>
#include <cstddef>

namespace fedtune::aggregate {

// In double precision no square of a float overflows, so the sum is finite where every value is.
class SumOfSquares {
 public:
  static constexpr std::size_t lanes = 8;  // sums that go on beside each other, so that no addition waits for the last
  // Values to take at once where they are many: they stay in the processor's cache if they are also hashed.
  static constexpr std::size_t piece = std::size_t{64} << 10U;
  static_assert(piece % lanes == 0);

  // The values value_at(0) .. value_at(count - 1). All pieces but the last have a multiple of `lanes` values.
  template <typename Value>
  void add(std::size_t count, Value&& value_at) {
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        const double value = value_at(i + lane);
        sums_[lane] += value * value;
      }
    }
    for (; i < count; ++i) rest_ += value_at(i) * value_at(i);
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

}  // namespace fedtune::aggregate
