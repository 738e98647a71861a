// Clients as threads of this process: the simulator's transport.
#pragma once

#include "fedtune/fed/local_task.h"
#include "fedtune/fed/transport.h"

namespace fedtune::fed {

// Trains the ranks of a cohort on `workers` threads, each rank on one thread from start to end. Contributions are
// handed over on the thread that called exchange. A client that throws is reported as failed; Interrupted, thrown by a
// client or due to a signal, ends the exchange once every thread has stopped.
class InProcessTransport : public Transport {
 public:
  // `task` outlives the transport. Throws Error(usage) when workers < 1.
  InProcessTransport(LocalTask& task, int workers);

  void exchange(int round, const NamedTensors& global, std::span<const int> cohort,
                const std::function<void(Update)>& on_update,
                const std::function<void(int rank, const std::string& reason)>& on_failure) override;
  // A client's result depends on the instruction alone.
  bool worth_retrying() const override { return false; }

 private:
  LocalTask& task_;
  int workers_;
};

}  // namespace fedtune::fed
