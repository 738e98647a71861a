// The loops over many floats in double precision, with vectors as wide as the processor has. Each adds in the same
// order whatever their width, so that the bits are the same.
#pragma once

#include <cstddef>
#include <vector>

namespace fedtune::aggregate {

// Sums that go on beside each other, so that no addition waits for the last.
constexpr std::size_t lanes = 8;

// Term i goes into sums[i % lanes], those behind the last whole `lanes` into sums[lanes].
struct LaneLoops {
  // x[i]^2
  void (*squares)(std::size_t count, const float* x, double* sums);
  // x[i]^2, and (x[i] - y[i])^2 into sums of their own
  void (*lengths)(std::size_t count, const float* x, const float* y, double* whole, double* change);
  // (x[i] - y[i])^2, and (x[i] - y[i]) (z[i] - y[i])
  void (*angle)(std::size_t count, const float* x, const float* y, const float* z, double* change, double* product);
  // sums[i] += factor x[i], of `count` sums
  void (*add_scaled)(std::size_t count, const float* x, double factor, double* sums);
};

// Those that this processor can run, the widest vectors first.
const std::vector<const LaneLoops*>& available_lane_loops();
inline const LaneLoops& lane_loops() {
  return *available_lane_loops().front();
}

}  // namespace fedtune::aggregate
