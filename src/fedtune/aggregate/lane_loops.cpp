#include "fedtune/aggregate/lane_loops.h"

#include <cstring>

#include "fedtune/base/cpu.h"

namespace fedtune::aggregate {
namespace {

using Floats __attribute__((vector_size(lanes * sizeof(float)))) = float;
using Doubles __attribute__((vector_size(lanes * sizeof(double)))) = double;

// Inlined into functions that are compiled for one kind of processor each.
#define FEDTUNE_LOOP static inline __attribute__((always_inline))

FEDTUNE_LOOP void load(const float* from, Doubles& to) {
  Floats x;
  std::memcpy(&x, from, sizeof x);
  to = __builtin_convertvector(x, Doubles);
}

// Adds what `term` leaves in the first of the values that it is given, one of each input.
template <std::size_t inputs, typename Term>
FEDTUNE_LOOP void add_up(std::size_t count, const float* const (&from)[inputs], double* sums, Term term) {
  Doubles sum;
  std::memcpy(&sum, sums, sizeof sum);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    Doubles values[inputs];
    for (std::size_t n = 0; n < inputs; ++n) load(from[n] + i, values[n]);
    term(values);
    sum += values[0];
  }
  std::memcpy(sums, &sum, sizeof sum);
  for (; i < count; ++i) {
    double values[inputs];
    for (std::size_t n = 0; n < inputs; ++n) values[n] = from[n][i];
    term(values);
    sums[lanes] += values[0];
  }
}

FEDTUNE_LOOP void squares(std::size_t count, const float* x, double* sums) {
  add_up(count, {x}, sums, [](auto& v) { v[0] *= v[0]; });
}

FEDTUNE_LOOP void squared_differences(std::size_t count, const float* x, const float* y, double* sums) {
  add_up(count, {x, y}, sums, [](auto& v) {
    v[0] -= v[1];
    v[0] *= v[0];
  });
}

FEDTUNE_LOOP void products_of_differences(std::size_t count, const float* x, const float* y, const float* z,
                                          double* sums) {
  add_up(count, {x, y, z}, sums, [](auto& v) { v[0] = (v[0] - v[1]) * (v[2] - v[1]); });
}

FEDTUNE_LOOP void add_scaled(std::size_t count, const float* x, double factor, double* sums) {
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    Doubles sum, term;
    std::memcpy(&sum, sums + i, sizeof sum);
    load(x + i, term);
    sum += factor * term;
    std::memcpy(sums + i, &sum, sizeof sum);
  }
  for (; i < count; ++i) sums[i] += factor * double{x[i]};
}

// NOLINTBEGIN(bugprone-macro-parentheses): an attribute cannot stand in them.
#define FEDTUNE_LOOPS(name, target)                                                                            \
  namespace name {                                                                                             \
  target void squares_here(std::size_t count, const float* x, double* sums) {                                  \
    squares(count, x, sums);                                                                                   \
  }                                                                                                            \
  target void differences_here(std::size_t count, const float* x, const float* y, double* sums) {              \
    squared_differences(count, x, y, sums);                                                                    \
  }                                                                                                            \
  target void products_here(std::size_t count, const float* x, const float* y, const float* z, double* sums) { \
    products_of_differences(count, x, y, z, sums);                                                             \
  }                                                                                                            \
  target void scaled_here(std::size_t count, const float* x, double factor, double* sums) {                    \
    add_scaled(count, x, factor, sums);                                                                        \
  }                                                                                                            \
  constexpr LaneLoops loops{squares_here, differences_here, products_here, scaled_here};                       \
  }

// NOLINTEND(bugprone-macro-parentheses)

FEDTUNE_LOOPS(baseline, )
#if defined(__x86_64__)
FEDTUNE_LOOPS(avx2, __attribute__((target("avx2"))))
FEDTUNE_LOOPS(avx512, __attribute__((target("avx512f,avx512dq,avx512vl"))))
#endif

std::vector<const LaneLoops*> find_available() {
  std::vector<const LaneLoops*> found;
#if defined(__x86_64__)
  if (cpu_features().avx512) found.push_back(&avx512::loops);
  if (cpu_features().avx2_fma) found.push_back(&avx2::loops);
#endif
  found.push_back(&baseline::loops);
  return found;
}

}  // namespace

const std::vector<const LaneLoops*>& available_lane_loops() {
  static const std::vector<const LaneLoops*> found = find_available();
  return found;
}

}  // namespace fedtune::aggregate
