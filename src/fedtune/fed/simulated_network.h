// For tests: a clock that is moved on by events, and a network between clients and a server that delays, loses, doubles
// and reorders what is said. One thread; the same chance, the same course.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "fedtune/base/random.h"
#include "fedtune/base/timekeeper.h"
#include "fedtune/fed/board.h"

namespace fedtune::fed {

class VirtualClock final : public Timekeeper {
 public:
  using Event = std::function<void()>;

  Time now() const override { return now_; }
  double seconds() const { return std::chrono::duration<double>(now_.time_since_epoch()).count(); }
  void after(double seconds, Event event) {
    const auto delay = std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(seconds));
    events_.push({.time = now_ + delay, .number = count_++, .event = std::move(event)});
  }
  // The thread that waits is the one that lets things happen.
  bool wait_until(std::condition_variable& /*changed*/, std::unique_lock<std::mutex>& lock, Time until,
                  const std::function<bool()>& done) override {
    while (!done()) {
      lock.unlock();
      const bool happened = step(until);
      if (happened && after_event) after_event();
      lock.lock();
      if (!happened) return done();
    }
    return true;
  }
  // Lets the next event happen; false where there is none by `until`, which it then is.
  bool step(Time until) {
    if (events_.empty() || events_.top().time > until) {
      if (until == Time::max()) throw std::logic_error("everyone waits and nothing will happen");
      now_ = until;
      return false;
    }
    const Event event = events_.top().event;
    now_ = events_.top().time;
    events_.pop();
    event();
    return true;
  }
  void run_for(double seconds) {
    const Time until = now_ + std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(seconds));
    while (step(until)) {
    }
  }

  Event after_event;  // called after each event that happens while the server waits; may throw

 private:
  struct Entry {
    Time time;
    std::uint64_t number;
    Event event;
    bool operator<(const Entry& other) const { return std::pair(other.time, other.number) < std::pair(time, number); }
  };
  Time now_{};
  std::uint64_t count_ = 0;
  std::priority_queue<Entry> events_;
};

// How badly the network behaves; probabilities are of each message.
struct Weather {
  double delay = 0.01;  // seconds, the mean of most
  double slow = 0.0;    // to take a hundred times as long
  double lost = 0.0;
  double doubled = 0.0;
};

// What a call ends with: what the server said, why it turned the call down, or neither where the line broke.
template <typename Reply>
struct Result {
  std::optional<Reply> reply{};
  std::optional<Rejected> rejected{};
};

class SimulatedNetwork {
 public:
  SimulatedNetwork(VirtualClock& clock, RandomStream& chance, const Weather& weather)
      : clock_(clock), chance_(chance), weather_(weather) {}

  // Calls in flight to the server before are cut.
  void connect(Board* board) {
    board_ = board;
    ++epoch_;
    for (auto& [number, cut] : std::exchange(in_flight_, {})) clock_.after(delay(), cut);
  }
  void disconnect() { connect(nullptr); }
  void calm_down() { weather_ = {.delay = weather_.delay}; }

  // The server runs `ask` with a way to answer, now or later, and the client hears the outcome once.
  template <typename Reply>
  void call(std::function<void(Board&, std::function<void(Reply)>)> ask, std::function<void(Result<Reply>)> done) {
    const auto heard = std::make_shared<bool>(false);
    const std::uint64_t number = calls_++;
    const auto hear = [this, heard, number, done](Result<Reply> result) {
      if (std::exchange(*heard, true)) return;
      in_flight_.erase(number);
      done(std::move(result));
    };
    in_flight_[number] = [hear] { hear({}); };
    const int copies = chance(weather_.lost) ? 0 : chance(weather_.doubled) ? 2 : 1;
    if (copies == 0) clock_.after(timeout, [hear] { hear({}); });
    for (int copy = 0; copy < copies; ++copy) {
      clock_.after(delay(), [this, ask, hear, epoch = epoch_] { serve<Reply>(ask, hear, epoch); });
    }
  }

 private:
  static constexpr double timeout = 5.0;  // seconds after which a client gives a call up

  bool chance(double probability) { return chance_.uniform() < probability; }
  double delay() {
    const double mean = chance(weather_.slow) ? 100.0 * weather_.delay : weather_.delay;
    return mean * (0.1 + 1.8 * chance_.uniform());
  }

  template <typename Reply, typename Hear>
  void serve(const std::function<void(Board&, std::function<void(Reply)>)>& ask, const Hear& hear,
             std::uint64_t epoch) {
    if (board_ == nullptr || epoch != epoch_) return clock_.after(delay(), [hear] { hear({}); });
    const auto send = [this, hear](Result<Reply> result) {
      const bool lost = chance(weather_.lost);
      clock_.after(lost ? timeout : delay(),
                   [hear, lost, result = std::move(result)] { hear(lost ? Result<Reply>{} : result); });
    };
    try {
      ask(*board_, [send](Reply reply) { send({.reply = std::move(reply)}); });
    } catch (const Rejected& rejected) {
      send({.rejected = rejected});
    }
  }

  VirtualClock& clock_;
  RandomStream& chance_;
  Weather weather_;
  Board* board_ = nullptr;
  std::uint64_t epoch_ = 0;
  std::uint64_t calls_ = 0;
  std::map<std::uint64_t, std::function<void()>> in_flight_;
};

}  // namespace fedtune::fed
