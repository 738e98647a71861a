// The measures of a round's contributions, taken on a thread of their own while others arrive and the round goes on:
// hashing a contribution takes longer than moving it.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "fedtune/aggregate/measures.h"

namespace fedtune::fed {

class Measuring {
 public:
  // `global`: what the contributions are measured against.
  explicit Measuring(NamedTensors global);
  // What has not been measured yet never is.
  ~Measuring();
  Measuring(const Measuring&) = delete;
  Measuring& operator=(const Measuring&) = delete;

  // A contribution that has passed admission. Waits while two others do: what is not measured yet stays in memory.
  void add(NamedTensors contribution);
  // Waits until all are measured; in the order they were added. Throws what measuring threw.
  std::vector<aggregate::Measures> finish();

 private:
  void work(const std::stop_token& stop);

  const NamedTensors global_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable_any changed_;
  std::deque<NamedTensors> waiting_;
  bool busy_ = false;
  std::vector<aggregate::Measures> done_;
  std::exception_ptr error_;
  std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace fedtune::fed
