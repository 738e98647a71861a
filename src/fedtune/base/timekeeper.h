// What time it is for a thread that waits, so that a simulation can put a clock of its own in the place of the real
// one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace fedtune {

class Timekeeper {
 public:
  using Time = std::chrono::steady_clock::time_point;

  virtual ~Timekeeper() = default;
  virtual Time now() const { return std::chrono::steady_clock::now(); }
  // As std::condition_variable::wait_until with a predicate: true where `done` holds, false where `until` came first.
  virtual bool wait_until(std::condition_variable& changed, std::unique_lock<std::mutex>& lock, Time until,
                          const std::function<bool()>& done) {
    return changed.wait_until(lock, until, done);
  }

  // The real clock.
  static Timekeeper& real() {
    static Timekeeper clock;
    return clock;
  }
};

}  // namespace fedtune
