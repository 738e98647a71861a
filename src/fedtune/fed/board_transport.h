// Clients elsewhere: rounds over a board.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "fedtune/fed/board.h"
#include "fedtune/fed/transport.h"

namespace fedtune::fed {

struct TransportOptions {
  int min_clients = 0;         // that must be there before a round starts; 0: the whole cohort
  double round_timeout = 0.0;  // seconds a round may take from then on; 0: no limit
  double wait = 0.0;           // seconds to wait for min_clients; 0: no limit
  // Ranks of the cohort that are missing at the start of a round, once, where set.
  std::function<void(std::span<const int> missing)> on_waiting = {};
};

// Rounds over a board: asks the cohort, hands on what comes back, closes the round at its deadline. A client that has
// not answered by then is reported as failed and counts as absent until it is heard again.
class BoardTransport : public Transport {
 public:
  // `board` outlives the transport.
  BoardTransport(Board& board, TransportOptions options);

  // Throws Error(network) when --wait ends with fewer than min_clients there; Interrupted.
  void exchange(int round, const NamedTensors& global, std::span<const int> cohort,
                const std::function<void(Update)>& on_update,
                const std::function<void(int rank, const std::string& reason)>& on_failure) override;
  ErrorKind failure_kind() const override { return ErrorKind::network; }

  // Whether a round was played. Whoever resumes a run after its last round plays none, and so meets no client that
  // waits for the end of it.
  bool has_asked() const { return has_asked_; }
  // Returns when all ranks are present, after `seconds` (0: no limit) at most. Throws Interrupted.
  void await_everyone(double seconds);

 private:
  // Whether so many ranks of `cohort` are present within `seconds` (0: no limit). Throws Interrupted.
  bool come(std::span<const int> cohort, std::size_t count, double seconds);
  void await_clients(std::span<const int> cohort);

  Board& board_;
  TransportOptions options_;
  bool has_asked_ = false;
};

}  // namespace fedtune::fed
