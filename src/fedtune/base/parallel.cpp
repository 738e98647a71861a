#include "fedtune/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "fedtune/base/error.h"

namespace fedtune {

void run_parallel(const ParallelJobs& jobs, const std::function<void(std::size_t)>& job) {
  if (jobs.workers < 1) throw failed("run_parallel: {} workers, expected at least 1", jobs.workers);
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stopped{false};
  std::mutex mutex;
  std::exception_ptr first;
  std::size_t first_index = jobs.count;

  const auto work = [&] {
    while (!stopped) {
      const std::size_t index = next++;
      if (index >= jobs.count) return;
      try {
        job(index);
      } catch (...) {
        stopped = true;
        const std::lock_guard lock(mutex);
        if (index < first_index) {
          first = std::current_exception();
          first_index = index;
        }
      }
    }
  };

  {
    std::vector<std::jthread> helpers;
    const std::size_t threads = std::min(jobs.count, static_cast<std::size_t>(jobs.workers));
    for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(work);
    work();
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace fedtune
