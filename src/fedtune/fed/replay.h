// Recomputes a run from its log: the clients that were accepted in each round train again, in this process.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "fedtune/fed/engine.h"
#include "fedtune/fed/local_task.h"
#include "fedtune/fed/round_log.h"

namespace fedtune::fed {

struct ReplayParts {
  Strategy& strategy;
  LocalTask& task;
  int workers = 1;
};

struct ReplayOutcome {
  std::vector<RoundRecord> history{};       // the rounds that are as logged, from 0
  NamedTensors global{};                    // after all of them; empty where something differs
  std::optional<std::string> difference{};  // the first, in words that name the round
};

// `options` are the run's; as many rounds as the log has are played. Contributions weigh what the log says. Cohorts,
// the hash of each contribution, the hash of the global tensors and their scores are compared round by round, in that
// order; the first that differs ends the replay. `on_round`, where set, is told each round that is as logged. Throws
// what training throws.
ReplayOutcome replay(const EngineOptions& options, const ReplayParts& parts, std::span<const LoggedRound> log,
                     const std::function<void(const RoundRecord&)>& on_round = {});

// Where a record that was kept elsewhere (a checkpoint's) contradicts the replayed one of the same round.
std::optional<std::string> difference_between(const RoundRecord& kept, const RoundRecord& replayed);

}  // namespace fedtune::fed
