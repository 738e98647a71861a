#include "fedtune/fed/in_process_transport.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "fedtune/base/interrupt.h"

namespace fedtune::fed {
namespace {

struct Failure {
  int rank = 0;
  std::string reason;
};
using Message = std::variant<Update, Failure>;

// From the training threads to the engine's.
class Mailbox {
 public:
  explicit Mailbox(std::size_t senders) : open_senders_(senders) {}

  void post(Message message) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
    changed_.notify_one();
  }
  void close_sender() {
    const std::lock_guard lock(mutex_);
    --open_senders_;
    changed_.notify_one();
  }
  // Waits for the next message; nullopt when all senders have closed and nothing is left.
  std::optional<Message> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !messages_.empty() || open_senders_ == 0; });
    if (messages_.empty()) return std::nullopt;
    Message message = std::move(messages_.front());
    messages_.pop_front();
    return message;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Message> messages_;
  std::size_t open_senders_;
};

// The threads of one exchange. Whatever ends it, the threads are told to stop and joined.
class Crew {
 public:
  // What is asked of each rank of `cohort`; both outlive the crew.
  struct Assignment {
    int round;
    const NamedTensors& global;
    std::span<const int> cohort;
  };
  Crew(LocalTask& task, const Assignment& assignment, std::size_t workers)
      : task_(task), assignment_(assignment), mailbox_(workers) {
    for (std::size_t i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Crew() { stop_ = true; }

  std::optional<Message> next() { return mailbox_.next(); }
  // The signal that interrupted a client, or 0.
  int interrupted_by() const { return signal_; }

 private:
  bool should_stop() const { return stop_ || interrupt_signal() != 0; }

  void work() {
    // An instruction is made when its turn comes: of a thousand clients, those that wait have none.
    for (std::size_t i = next_++; i < assignment_.cohort.size() && !should_stop(); i = next_++) {
      train({.round = assignment_.round, .rank = assignment_.cohort[i], .global = assignment_.global});
    }
    mailbox_.close_sender();
  }

  void train(const Instruction& instruction) {
    try {
      mailbox_.post(task_.train(instruction, [this] { return should_stop(); }));
    } catch (const Interrupted& interrupted) {
      signal_ = interrupted.signal();
      stop_ = true;
    } catch (const std::exception& error) {
      mailbox_.post(Failure{instruction.rank, error.what()});
    } catch (...) {
      mailbox_.post(Failure{instruction.rank, "an unknown exception"});
    }
  }

  LocalTask& task_;
  Assignment assignment_;
  Mailbox mailbox_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> stop_{false};
  std::atomic<int> signal_{0};
  std::vector<std::jthread> threads_;  // last: joined before the rest goes
};

}  // namespace

InProcessTransport::InProcessTransport(LocalTask& task, int workers) : task_(task), workers_(workers) {
  if (workers < 1) throw usage_error("workers: found {}, expected 1 or more", workers);
}

void InProcessTransport::exchange(int round, const NamedTensors& global, std::span<const int> cohort,
                                  const std::function<void(Update)>& on_update,
                                  const std::function<void(int, const std::string&)>& on_failure) {
  const std::size_t workers = std::min(cohort.size(), static_cast<std::size_t>(workers_));

  int signal = 0;
  {
    Crew crew(task_, {.round = round, .global = global, .cohort = cohort}, workers);
    while (auto message = crew.next()) {
      if (auto* update = std::get_if<Update>(&*message)) {
        on_update(std::move(*update));
      } else {
        const auto& failure = std::get<Failure>(*message);
        on_failure(failure.rank, failure.reason);
      }
    }
    signal = crew.interrupted_by();
  }
  throw_if_interrupted();
  if (signal != 0) throw Interrupted(signal);
}

}  // namespace fedtune::fed
