#include "fedtune/aggregate/lane_loops.h"

#include <array>
#include <cstring>

#include "fedtune/base/cpu.h"

namespace fedtune::aggregate {
namespace {

constexpr std::size_t lanes = 8;
using Floats __attribute__((vector_size(lanes * sizeof(float)))) = float;
using Doubles __attribute__((vector_size(lanes * sizeof(double)))) = double;

// Inlined into functions that are compiled for one kind of processor each.
#define FEDTUNE_LOOP static inline __attribute__((always_inline))

FEDTUNE_LOOP void load(const float* from, Doubles& to) {
  Floats x;
  std::memcpy(&x, from, sizeof x);
  to = __builtin_convertvector(x, Doubles);
}

template <typename Term>
FEDTUNE_LOOP void add_up(std::size_t count, double* sums, Term term) {
  Doubles sum;
  std::memcpy(&sum, sums, sizeof sum);
  for (std::size_t i = 0; i < count; i += lanes) {
    Doubles x;
    term(i, x);
    sum += x;
  }
  std::memcpy(sums, &sum, sizeof sum);
}

FEDTUNE_LOOP void squares(std::size_t count, const float* x, double* sums) {
  add_up(
      count, sums, [x](std::size_t i, Doubles & term) __attribute__((always_inline)) {
        load(x + i, term);
        term *= term;
      });
}

FEDTUNE_LOOP void squared_differences(std::size_t count, const float* x, const float* y, double* sums) {
  add_up(
      count, sums, [ x, y ](std::size_t i, Doubles & term) __attribute__((always_inline)) {
        Doubles other;
        load(x + i, term);
        load(y + i, other);
        term -= other;
        term *= term;
      });
}

FEDTUNE_LOOP void products_of_differences(std::size_t count, const float* x, const float* y, const float* z,
                                          double* sums) {
  add_up(
      count, sums, [ x, y, z ](std::size_t i, Doubles & term) __attribute__((always_inline)) {
        Doubles base, other;
        load(x + i, term);
        load(y + i, base);
        load(z + i, other);
        term = (term - base) * (other - base);
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

struct Sets {
  std::array<const LaneLoops*, 3> found{&baseline::loops};
  std::size_t count = 1;
};
const Sets& sets() {
  static const Sets all = [] {
    Sets sets;
#if defined(__x86_64__)
    if (cpu_features().avx2_fma) sets.found[sets.count++] = &avx2::loops;
    if (cpu_features().avx512) sets.found[sets.count++] = &avx512::loops;
#endif
    return sets;
  }();
  return all;
}

}  // namespace

const LaneLoops& lane_loops() {
  return lane_loop_set(sets().count - 1);
}
std::size_t lane_loop_sets() {
  return sets().count;
}
const LaneLoops& lane_loop_set(std::size_t index) {
  return *sets().found.at(index);
}

}  // namespace fedtune::aggregate
