// The loops over many floats in double precision, with vectors as wide as the processor has. Each adds in the same
// order whatever their width, so that the bits are the same.
#pragma once

#include <cstddef>

namespace fedtune::aggregate {

// Eight sums beside each other: term i goes into sums[i % 8]. `count` is a multiple of 8.
struct LaneLoops {
  // x[i]^2
  void (*squares)(std::size_t count, const float* x, double* sums);
  // (x[i] - y[i])^2
  void (*squared_differences)(std::size_t count, const float* x, const float* y, double* sums);
  // (x[i] - y[i]) (z[i] - y[i])
  void (*products_of_differences)(std::size_t count, const float* x, const float* y, const float* z, double* sums);
  // sums[i] += factor x[i], of `count` sums; any count
  void (*add_scaled)(std::size_t count, const float* x, double factor, double* sums);
};

// Those of the widest vectors here.
const LaneLoops& lane_loops();

// Every set that this processor can run, the narrowest first. For tests.
std::size_t lane_loop_sets();
const LaneLoops& lane_loop_set(std::size_t index);

}  // namespace fedtune::aggregate
