#include "fedtune/net/pace.h"

#include <chrono>
#include <mutex>
#include <utility>

#include <grpcpp/alarm.h>

namespace fedtune::net {

struct Pace::State : std::enable_shared_from_this<Pace::State> {
  const Terms terms;
  const std::function<void()> stalled;
  std::mutex mutex;
  bool ended = false;
  std::size_t bytes = 0;               // since the alarm was set
  std::unique_ptr<grpc::Alarm> alarm;  // keeps the state until it has rung or is cancelled

  State(Terms given, std::function<void()> stall) : terms(given), stalled(std::move(stall)) {}

  // A new alarm each time: one must not be set from what it calls.
  void arm() {
    const auto after =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::duration<double>(terms.seconds));
    alarm = std::make_unique<grpc::Alarm>();
    alarm->Set(std::chrono::system_clock::now() + after, [self = shared_from_this()](bool rung) {
      if (rung) self->look();
    });
  }

  void look() {
    {
      const std::scoped_lock lock(mutex);
      if (ended) return;
      if (bytes >= terms.least) {
        bytes = 0;
        arm();
        return;
      }
      ended = true;
    }
    stalled();
  }
};

Pace::Pace(Terms terms, std::function<void()> stalled) : state_(std::make_shared<State>(terms, std::move(stalled))) {
  const std::scoped_lock lock(state_->mutex);
  if (terms.seconds > 0.0) state_->arm();
}

void Pace::made(std::size_t bytes) {
  const std::scoped_lock lock(state_->mutex);
  state_->bytes += bytes;
}

bool Pace::end() {
  std::unique_ptr<grpc::Alarm> alarm;  // cancelled once the lock is gone
  const std::scoped_lock lock(state_->mutex);
  alarm = std::move(state_->alarm);
  return !std::exchange(state_->ended, true);
}

}  // namespace fedtune::net
