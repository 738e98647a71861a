// A fixed number of independent jobs on a few threads.
#pragma once

#include <cstddef>
#include <functional>

namespace fedtune {

struct ParallelJobs {
  std::size_t count = 0;
  int workers = 1;  // threads; the calling thread is one of them
};

// Calls job(0) .. job(count - 1), each once, in any order and on any thread; returns when all have ended. Once a job
// has thrown no further job is begun, and the exception of the lowest index among those that threw is rethrown.
// All threads have the caller's floating-point state, so that subnormal numbers count alike on each.
void run_parallel(const ParallelJobs& jobs, const std::function<void(std::size_t index)>& job);

}  // namespace fedtune
