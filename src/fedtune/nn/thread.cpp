#include "fedtune/nn/thread.h"

#include <atomic>

#include <ATen/Context.h>
#include <ATen/Parallel.h>

namespace fedtune::nn {

namespace {
std::atomic<int> threads_per_worker{1};
}

void set_threads_per_worker(int threads) {
  threads_per_worker = threads;
}

void prepare_worker_thread() {
  // The number is the process's, but each thread takes it up on its own.
  at::set_num_threads(threads_per_worker);
  at::globalContext().setFlushDenormal(true);
}

int threads_in_use() {
  return at::get_num_threads();
}

UseThreads::UseThreads(int threads) : before_(threads_in_use()) {
  at::set_num_threads(threads);
}
UseThreads::~UseThreads() {
  at::set_num_threads(before_);
}

}  // namespace fedtune::nn
