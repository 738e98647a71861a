// Watches a run: writes its events, shows its progress.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>

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
    const fed::Strategy& strategy;
    report::EventLog& events;
    report::Progress& progress;
  };
  RunWatch(const Options& options, const Parts& parts);

  // What the engine calls; refers to this object.
  fed::Observer observer();
  // After each training step, from any thread.
  void on_step(double loss);

 private:
  void on_start(const fed::RoundRecord& record);
  void on_round_start(int round, std::span<const int> cohort);
  void on_client(int round, const fed::ClientRecord& client);
  void on_refused(int round, const fed::Refusal& refusal);
  void on_round(const fed::RoundRecord& record);

  std::int64_t steps_of(int rank) const;
  double seconds_left() const;
  report::ProgressState round_done_state(const fed::RoundRecord& record) const;

  const Options& options_;
  Parts parts_;
  std::mutex mutex_;  // guards what follows
  report::ProgressState state_;
  std::chrono::steady_clock::time_point process_start_, round_start_;
  std::int64_t process_steps_ = 0;  // since this process began
  std::int64_t round_steps_ = 0;
  std::int64_t cohort_steps_ = 0;  // of the whole round
  double round_loss_ = 0.0;        // mean over its steps so far
};

}  // namespace fedtune::cli
