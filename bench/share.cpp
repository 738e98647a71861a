#include "share.h"

#include <iostream>

#include "copy_peak.h"
#include "fma_peak.h"

#include "fedtune/nn/kernels/select.h"

namespace fedtune::bench {
namespace {

double fma = 0.0, copy = 0.0;

void count(benchmark::State& state, const char* unit, const char* share, double giga, double peak) {
  using benchmark::Counter;
  state.counters[unit] = Counter(giga, Counter::kIsIterationInvariantRate);
  if (peak > 0.0) state.counters[share] = Counter(100.0 * giga / peak, Counter::kIsIterationInvariantRate);
}

}  // namespace

void measure_peaks() {
  fma = fma_peak();
  copy = copy_peak();
  std::cerr << nn::kernels::active().name << ", FMA peak " << fma << " GF/s, copy " << copy << " GB/s of one core\n";
}

void count_operations(benchmark::State& state, double operations) {
  count(state, "GF/s", "%FMA", operations * 1e-9, fma);
}
void count_bytes(benchmark::State& state, double bytes) {
  count(state, "GB/s", "%copy", bytes * 1e-9, copy);
}

}  // namespace fedtune::bench
