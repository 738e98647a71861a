#include "fedtune/fed/replay.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "fedtune/base/error.h"
#include "fedtune/fed/in_process_transport.h"

namespace fedtune::fed {
namespace {

// Ends a replay.
struct Difference {
  std::string text;
};

template <typename... Args>
std::string in_round(int round, fmt::format_string<Args...> format, Args&&... args) {
  return fmt::format("round {}: {}", round, fmt::format(format, std::forward<Args>(args)...));
}

// Asks those whom the log says were accepted, and gives their contributions the weights they had.
class AcceptedAlone final : public InProcessTransport {
 public:
  AcceptedAlone(const ReplayParts& parts, std::span<const LoggedRound> log)
      : InProcessTransport(parts.task, parts.workers), log_(log) {}

  void exchange(int round, const NamedTensors& global, std::span<const int> /*cohort*/,
                const std::function<void(Update)>& on_update,
                const std::function<void(int, const std::string&)>& on_failure) override {
    const std::vector<LoggedContribution>& accepted = log_[static_cast<std::size_t>(round)].accepted;
    std::vector<int> ranks;
    for (const LoggedContribution& entry : accepted) ranks.push_back(entry.rank);
    const auto weigh = [&](Update update) {
      update.weight = std::ranges::find(accepted, update.rank, &LoggedContribution::rank)->weight;
      on_update(std::move(update));
    };
    InProcessTransport::exchange(round, global, ranks, weigh, on_failure);
  }

 private:
  std::span<const LoggedRound> log_;
};

bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

std::string ranks_text(const std::vector<int>& ranks) {
  return fmt::format("{}", fmt::join(ranks, ", "));
}

void compare_contributions(const LoggedRound& logged, const RoundRecord& record) {
  for (std::size_t i = 0; i < logged.accepted.size(); ++i) {
    const LoggedContribution& then = logged.accepted[i];
    if (i >= record.accepted.size() || record.accepted[i].rank != then.rank) {
      throw Difference{in_round(logged.round, "client {} is accepted in the log and not here", then.rank)};
    }
    if (const std::string& now = record.accepted[i].sha256; now != then.sha256) {
      throw Difference{in_round(logged.round, "the contribution of client {} has the SHA-256 {}, the log says {}",
                                then.rank, now, then.sha256)};
    }
  }
}

void compare_outcome(const LoggedRound& logged, const RoundRecord& record) {
  if (record.global_sha256 != logged.global_sha256) {
    throw Difference{in_round(logged.round, "the global tensors have the SHA-256 {}, the log says {}",
                              record.global_sha256, logged.global_sha256)};
  }
  const auto compare = [&](std::string_view name, double now, double then) {
    if (!same(now, then)) throw Difference{in_round(logged.round, "{} is {}, the log says {}", name, now, then)};
  };
  compare("the loss", record.evaluation.loss, logged.evaluation.loss);
  compare("the accuracy", record.evaluation.accuracy, logged.evaluation.accuracy);
  compare("MCC", record.evaluation.mcc, logged.evaluation.mcc);
  compare("F1", record.evaluation.f1, logged.evaluation.f1);
}

}  // namespace

ReplayOutcome replay(const EngineOptions& options, const ReplayParts& parts, std::span<const LoggedRound> log,
                     const std::function<void(const RoundRecord&)>& on_round) {
  if (log.empty()) throw input_error("replaying a run: its log has no complete round");
  ReplayOutcome outcome;
  const auto check = [&](const RoundRecord& record) {
    const LoggedRound& logged = log[static_cast<std::size_t>(record.round)];
    compare_contributions(logged, record);
    compare_outcome(logged, record);
    outcome.history.push_back(record);
    if (on_round) on_round(record);
  };
  Observer observer;
  observer.on_start = check;
  observer.on_round = check;
  observer.on_round_start = [&](int round, std::span<const int> cohort) {
    const LoggedRound& logged = log[static_cast<std::size_t>(round)];
    if (std::ranges::equal(cohort, logged.cohort)) return;
    throw Difference{in_round(round, "the seed draws the clients {}, the log says that {} were asked",
                              ranks_text({cohort.begin(), cohort.end()}), ranks_text(logged.cohort))};
  };
  observer.on_refused = [](int round, const Refusal& refusal) {
    throw Difference{
        in_round(round, "client {}, accepted in the log, is left out here: {}", refusal.rank, refusal.reason)};
  };

  EngineOptions replayed = options;
  replayed.rounds = static_cast<int>(log.size()) - 1;
  replayed.fewest = 1;
  AcceptedAlone transport(parts, log);
  try {
    outcome.global = Engine(replayed, {.strategy = parts.strategy, .transport = transport}, observer).run().global;
  } catch (const Difference& difference) {
    outcome.difference = difference.text;
  }
  return outcome;
}

std::optional<std::string> difference_between(const RoundRecord& kept, const RoundRecord& replayed) {
  if (kept.cohort != replayed.cohort) {
    return in_round(kept.round, "the clients {} were asked, the checkpoint says {}", ranks_text(replayed.cohort),
                    ranks_text(kept.cohort));
  }
  if (kept.accepted.size() != replayed.accepted.size()) {
    return in_round(kept.round, "{} contributions were accepted, the checkpoint says {}", replayed.accepted.size(),
                    kept.accepted.size());
  }
  for (std::size_t i = 0; i < kept.accepted.size(); ++i) {
    const ClientRecord& then = kept.accepted[i];
    const ClientRecord& now = replayed.accepted[i];
    if (then.rank != now.rank || then.weight != now.weight || then.sha256 != now.sha256) {
      return in_round(kept.round, "client {} contributed {} with weight {}, the checkpoint says {} with weight {}",
                      now.rank, now.sha256, now.weight, then.sha256, then.weight);
    }
  }
  if (kept.global_sha256 != replayed.global_sha256) {
    return in_round(kept.round, "the global tensors have the SHA-256 {}, the checkpoint says {}",
                    replayed.global_sha256, kept.global_sha256);
  }
  return std::nullopt;
}

}  // namespace fedtune::fed
