// How fast this core multiplies and adds right now.
#pragma once

namespace fedtune::bench {

// Single-precision GF/s of fused multiply-adds on one core (2 operations each), the best of a few milliseconds. The
// clock drifts by several per cent within minutes, so measure it in the run it is compared with. 0 where there is no
// FMA.
double fma_peak();

}  // namespace fedtune::bench
