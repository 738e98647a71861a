// What a thread must set before it computes.
#pragma once

namespace fedtune::nn {

// As many threads per matrix kernel as set_threads_per_worker says, and denormal numbers count as 0 (they cost up to 60
// times as much, and Adam's second moments make them). Call in main before anything computes, and first thing in every
// worker thread.
void prepare_worker_thread();

// Threads per matrix kernel from now on: 1 unless a run asks for more (fewer clients than cores). Call in main, once.
void set_threads_per_worker(int threads);

// Threads per matrix kernel called from this thread.
int threads_in_use();

// While one lives, matrix kernels called from this thread use so many threads; the result does not depend on how many.
class UseThreads {
 public:
  explicit UseThreads(int threads);
  ~UseThreads();
  UseThreads(const UseThreads&) = delete;
  UseThreads& operator=(const UseThreads&) = delete;

 private:
  int before_;
};

}  // namespace fedtune::nn
