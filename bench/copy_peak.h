// How fast this core copies memory right now.
#pragma once

namespace fedtune::bench {

// GB/s of a copy between two buffers that no cache holds, bytes read and bytes written counted; the best of a few.
// Measure it in the run it is compared with, as fma_peak.
double copy_peak();

}  // namespace fedtune::bench
