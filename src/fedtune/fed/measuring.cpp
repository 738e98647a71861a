#include "fedtune/fed/measuring.h"

#include <utility>

namespace fedtune::fed {

Measuring::Measuring(NamedTensors global)
    : global_(std::move(global)), thread_([this](const std::stop_token& stop) { work(stop); }) {}

Measuring::~Measuring() = default;

void Measuring::add(NamedTensors contribution) {
  constexpr std::size_t most_waiting = 2;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.size() < most_waiting; });
  waiting_.push_back(std::move(contribution));
  changed_.notify_all();
}

std::vector<aggregate::Measures> Measuring::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return error_ || (waiting_.empty() && !busy_); });
  if (error_) std::rethrow_exception(error_);
  return std::move(done_);
}

void Measuring::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
    const NamedTensors contribution = std::move(waiting_.front());
    waiting_.pop_front();
    busy_ = true;
    lock.unlock();
    aggregate::Measures measures;
    std::exception_ptr error;
    try {
      measures = aggregate::measure(contribution, global_);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    busy_ = false;
    done_.push_back(std::move(measures));
    if (error) error_ = error;
    changed_.notify_all();
    if (stop.stop_requested()) return;
  }
}

}  // namespace fedtune::fed
