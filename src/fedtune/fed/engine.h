// The round engine: cohort, exchange, admission, aggregation, evaluation, checkpoint; the same for every scheme and
// transport.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "fedtune/fed/round_store.h"
#include "fedtune/fed/spill.h"
#include "fedtune/fed/strategy.h"
#include "fedtune/fed/transport.h"
#include "fedtune/fed/types.h"

namespace fedtune::fed {

struct EngineOptions {
  int rounds = 10;            // a run ends after this round
  int clients = 4;            // ranks 1 .. clients
  double fraction_fit = 1.0;  // share of the clients asked each round, in (0, 1]
  int fewest = 1;             // contributions a round needs; a smaller cohort needs all of its own
  std::uint64_t seed = 0;     // run seed: chooses the cohorts
  // A contribution that weighs more enters with this much.
  double max_client_weight = std::numeric_limits<double>::infinity();
};

// What a run tells whoever watches; unset callbacks are skipped. All are called on the engine's thread; what they throw
// ends the run.
struct Observer {
  // Round 0: the scores of the initial model. Not called on resume.
  std::function<void(const RoundRecord& record)> on_start{};
  std::function<void(int round, std::span<const int> cohort)> on_round_start{};
  // A contribution was accepted; its hash and norms are not known yet.
  std::function<void(int round, const ClientRecord& client)> on_client{};
  // A contribution was left out, or a client failed.
  std::function<void(int round, const Refusal& refusal)> on_refused{};
  // A round is complete; called before it is saved.
  std::function<void(const RoundRecord& record)> on_round{};
  // Length in bytes of the event log after on_start or on_round, saved with the round so that a resumed run can cut the
  // log back to it.
  std::function<std::int64_t()> events_bytes{};
};

struct RunOutcome {
  NamedTensors global{};
  std::vector<RoundRecord> history{};  // rounds 0 .. N
};

class Engine {
 public:
  // Where the parts live; the engine owns none of them, they outlive it. `store` may be null: nothing is saved.
  struct Parts {
    Strategy& strategy;
    Transport& transport;
    RoundStore* store = nullptr;
    SpillOptions spill{};  // where accepted contributions wait for the end of their round
  };
  // Throws Error(usage) for options out of range.
  Engine(const EngineOptions& options, const Parts& parts, Observer observer = {});

  // Runs the rounds after `from` (what RoundStore::load returned), or all of them. A round with fewer contributions
  // than it needs is tried once more, then ends the run with an Error of the transport's failure kind that lists the
  // reasons. Throws Interrupted when a signal has arrived; what the store holds is then the last complete round.
  RunOutcome run(std::optional<SavedRun> from = std::nullopt);

 private:
  class Exchange;   // one round's contributions as they arrive
  struct Gathered;  // what it leaves

  SavedRun start();
  RoundRecord play_round(int round, NamedTensors& global);
  Gathered gather(const NamedTensors& global, RoundRecord& record);
  void keep(const RoundRecord& record, SavedRun& run);

  EngineOptions options_;
  Parts parts_;
  Observer observer_;
  Spill spill_;
};

// How many clients are asked in a round: fraction * clients, rounded, at least one.
int cohort_size(const EngineOptions& options);
// Which: their ranks, ascending; a function of seed and round.
std::vector<int> choose_cohort(const EngineOptions& options, int round);

}  // namespace fedtune::fed
