// What a benchmark prints beside its time: its rate, and that as a share of what the core can do at best.
#pragma once

#include <benchmark/benchmark.h>

namespace fedtune::bench {

// Measures both peaks; before the first benchmark.
void measure_peaks();

// Of floating-point operations an iteration, against the FMA peak. 0 where there is no FMA: no share is printed.
void count_operations(benchmark::State& state, double operations);
// Of bytes read and written an iteration, against a copy's. Beyond 1 where the caches hold them.
void count_bytes(benchmark::State& state, double bytes);

}  // namespace fedtune::bench
