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

// Adds the terms that `term` leaves in the place of the values that it is given, one of each input: the first into the
// first sums, and so on.
template <std::size_t inputs, std::size_t outputs, typename Term>
FEDTUNE_LOOP void add_up(std::size_t count, const float* const (&from)[inputs], double* const (&sums)[outputs],
                         Term term) {
  static_assert(outputs <= inputs);
  Doubles sum[outputs];
  for (std::size_t n = 0; n < outputs; ++n) std::memcpy(&sum[n], sums[n], sizeof sum[n]);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    Doubles values[inputs];
    for (std::size_t n = 0; n < inputs; ++n) load(from[n] + i, values[n]);
    term(values);
    for (std::size_t n = 0; n < outputs; ++n) sum[n] += values[n];
  }
  for (std::size_t n = 0; n < outputs; ++n) std::memcpy(sums[n], &sum[n], sizeof sum[n]);
  for (; i < count; ++i) {
    double values[inputs];
    for (std::size_t n = 0; n < inputs; ++n) values[n] = from[n][i];
    term(values);
    for (std::size_t n = 0; n < outputs; ++n) sums[n][lanes] += values[n];
  }
}

FEDTUNE_LOOP void squares(std::size_t count, const float* x, double* sums) {
  add_up(count, {x}, {sums}, [](auto& v) { v[0] *= v[0]; });
}

FEDTUNE_LOOP void lengths(std::size_t count, const float* x, const float* y, double* whole, double* change) {
  add_up(count, {x, y}, {whole, change}, [](auto& v) {
    v[1] = v[0] - v[1];
    v[1] *= v[1];
    v[0] *= v[0];
  });
}

FEDTUNE_LOOP void angle(std::size_t count, const float* x, const float* y, const float* z, double* change,
                        double* product) {
  add_up(count, {x, y, z}, {change, product}, [](auto& v) {
    v[0] -= v[1];
    v[1] = v[0] * (v[2] - v[1]);
    v[0] *= v[0];
  });
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
  target void lengths_here(std::size_t count, const float* x, const float* y, double* whole, double* change) { \
    lengths(count, x, y, whole, change);                                                                       \
  }                                                                                                            \
  target void angle_here(std::size_t count, const float* x, const float* y, const float* z, double* change,    \
                         double* product) {                                                                    \
    angle(count, x, y, z, change, product);                                                                    \
  }                                                                                                            \
  target void scaled_here(std::size_t count, const float* x, double factor, double* sums) {                    \
    add_scaled(count, x, factor, sums);                                                                        \
  }                                                                                                            \
  constexpr LaneLoops loops{squares_here, lengths_here, angle_here, scaled_here};                              \
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
