// Watches a run: writes its events, shows its progress.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string_view>

#include "fedtune/cli/federation.h"
#include "fedtune/cli/options.h"
#include "fedtune/fed/engine.h"
#include "fedtune/report/events.h"
#include "fedtune/report/progress.h"

namespace fedtune::cli {

class RunWatch {
 public:
  // Where the parts live; they outlive the watch.
  struct Parts {
    const Federation& federation;
    report::EventLog& events;
    report::Progress& progress;
  };
  RunWatch(const Options& options, const Parts& parts);

  // What the engine calls; refers to this object, and to the strategy whose rounds it watches.
  fed::Observer observer(const fed::Strategy& strategy);
  // Steps of clients are not seen but counted when a contribution arrives. Before the first round.
  void clients_are_elsewhere() { remote_ = true; }
  // After each training step of a client, from any thread.
  void on_step(double loss);
  // After each step of the server's distillation.
  void on_distil_step(double loss);

 private:
  void on_start(const fed::RoundRecord& record);
  void on_round_start(int round, std::span<const int> cohort);
  void on_client(int round, const fed::ClientRecord& client);
  void on_refused(int round, const fed::Refusal& refusal);
  void on_round(const fed::RoundRecord& record, const fed::Strategy& strategy);
  void on_heavy(const fed::RoundRecord& record, int rank);

  std::int64_t steps_of(int rank) const;
  std::int64_t distil_steps() const;  // of a round
  void count_steps_locked(std::int64_t steps, double loss);
  void begin_phase_locked(std::string_view phase);
  double seconds_left() const;
  report::ProgressState round_done_state(const fed::RoundRecord& record) const;

  const Options& options_;
  Parts parts_;
  bool remote_ = false;
  std::mutex mutex_;  // guards what follows
  report::ProgressState state_;
  std::chrono::steady_clock::time_point process_start_, phase_start_;
  std::int64_t process_steps_ = 0;  // since this process began
  std::int64_t round_steps_ = 0;
  std::int64_t expected_steps_ = 0;  // of the whole round, the server's included
  std::int64_t phase_steps_ = 0;
  double phase_loss_ = 0.0;  // mean over its steps so far
};

}  // namespace fedtune::cli
