#include "fedtune/net/pace.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>

#include <grpcpp/alarm.h>

namespace fedtune::net {

struct Pace::State : std::enable_shared_from_this<Pace::State> {
  const Terms terms;
  const std::function<void()> stalled;
  std::mutex mutex;
  std::condition_variable called;  // stalled has returned
  std::thread::id caller;          // who is in stalled
  bool under_way = false;
  std::uint64_t stretch = 0;           // an alarm of an earlier one, ringing as it ended, says nothing of this one
  std::size_t bytes = 0;               // since the alarm was set
  std::unique_ptr<grpc::Alarm> alarm;  // keeps the state until it has rung or is cancelled

  State(Terms given, std::function<void()> stall) : terms(given), stalled(std::move(stall)) {}

  // A new alarm each time: one must not be set from what it calls.
  void arm() {
    if (terms.seconds <= 0.0) return;
    const auto after =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::duration<double>(terms.seconds));
    alarm = std::make_unique<grpc::Alarm>();
    alarm->Set(std::chrono::system_clock::now() + after, [self = shared_from_this(), of = stretch](bool rung) {
      if (rung) self->look(of);
    });
  }

  void look(std::uint64_t of) {
    std::unique_lock lock(mutex);
    if (!under_way || of != stretch) return;
    if (bytes >= terms.least) {
      bytes = 0;
      arm();
      return;
    }
    under_way = false;
    caller = std::this_thread::get_id();
    lock.unlock();
    stalled();
    lock.lock();
    caller = {};
    called.notify_all();
  }
};

Pace::Pace(Terms terms, std::function<void()> stalled) : state_(std::make_shared<State>(terms, std::move(stalled))) {}

void Pace::begin() {
  const std::scoped_lock lock(state_->mutex);
  ++state_->stretch;
  state_->under_way = true;
  state_->bytes = 0;
  state_->arm();
}

void Pace::made(std::size_t bytes) {
  const std::scoped_lock lock(state_->mutex);
  state_->bytes += bytes;
}

bool Pace::end() {
  const auto state = state_;           // stalled itself may end the reactor that owns this
  std::unique_ptr<grpc::Alarm> alarm;  // cancelled once the lock is gone
  std::unique_lock lock(state->mutex);
  state->called.wait(lock,
                     [&] { return state->caller == std::thread::id{} || state->caller == std::this_thread::get_id(); });
  alarm = std::move(state->alarm);
  return std::exchange(state->under_way, false);
}

}  // namespace fedtune::net
