#include "fedtune/fed/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/fed/toy_federation.h"
#include "fedtune/format/tensor_hash.h"

namespace fedtune::fed {
namespace {

using testing::HasSubstr;

const EngineOptions run_options{.rounds = 3, .clients = 6, .fraction_fit = 0.67, .seed = toy_seed};

// A run in which client 2, where it is asked, fails in round 2; what its log would say.
struct Played {
  RunOutcome outcome;
  std::vector<LoggedRound> log;
};

Played play() {
  ToyTask task([](const Instruction& asked, Update& update) {
    if (asked.round == 2 && asked.rank == choose_cohort(run_options, 2).front()) throw std::runtime_error("no power");
    update.weight += 0.25 * asked.round;  // a weight that only the log knows
  });
  ToyMomentum strategy;
  ScriptedTransport transport(task);
  Played played{.outcome = Engine(run_options, {.strategy = strategy, .transport = transport}).run(), .log = {}};
  for (const RoundRecord& record : played.outcome.history) {
    LoggedRound& round = played.log.emplace_back();
    round = {.round = record.round,
             .cohort = record.cohort,
             .global_sha256 = record.global_sha256,
             .evaluation = {.loss = record.evaluation.loss, .accuracy = record.evaluation.accuracy, .teacher = {}}};
    for (const ClientRecord& client : record.accepted) {
      round.accepted.push_back({.rank = client.rank, .weight = client.weight, .sha256 = client.sha256});
    }
  }
  return played;
}

ReplayOutcome replay_of(const std::vector<LoggedRound>& log, EngineOptions options = run_options) {
  ToyTask task;
  ToyMomentum strategy;
  return replay(options, {.strategy = strategy, .task = task, .workers = 2}, log);
}

// The difference found once `spoil` has changed the log.
std::string difference_after(const std::function<void(std::vector<LoggedRound>&)>& spoil) {
  std::vector<LoggedRound> log = play().log;
  spoil(log);
  return replay_of(log).difference.value_or("none");
}

TEST(Replay, GivesTheBitsOfARunWithAClientLeftOut) {
  const Played played = play();
  ASSERT_EQ(played.log[2].accepted.size(), 3u);
  const ReplayOutcome again = replay_of(played.log);
  EXPECT_EQ(again.difference, std::nullopt);
  EXPECT_EQ(final_sha256(again.global), final_sha256(played.outcome.global));
  ASSERT_EQ(again.history.size(), 4u);
  EXPECT_EQ(difference_between(played.outcome.history[3], again.history[3]), std::nullopt);
}

TEST(Replay, PlaysARunThatWasCutAsFarAsItsLogGoes) {
  Played played = play();
  played.log.resize(3);
  const ReplayOutcome again = replay_of(played.log);
  EXPECT_EQ(again.difference, std::nullopt);
  EXPECT_EQ(final_sha256(again.global), played.log.back().global_sha256);
}

TEST(Replay, NamesTheFirstRoundThatDiffers) {
  EXPECT_THAT(difference_after([](auto& log) { log[2].accepted[1].weight += 1e-9; }),
              HasSubstr("round 2: the global tensors have the SHA-256"));
  EXPECT_THAT(difference_after([](auto& log) { log[3].accepted[0].sha256[0] ^= 1; }),
              HasSubstr("round 3: the contribution of client"));
  EXPECT_THAT(difference_after([](auto& log) { log[1].global_sha256.back() ^= 1; }), HasSubstr("round 1: the global"));
  EXPECT_THAT(difference_after([](auto& log) { log[0].global_sha256.back() ^= 1; }), HasSubstr("round 0: the global"));
  EXPECT_THAT(difference_after([](auto& log) { log[2].accepted.pop_back(); }), HasSubstr("round 2: the global"));
  EXPECT_THAT(difference_after([](auto& log) { log[1].cohort.pop_back(); }), HasSubstr("round 1: the seed draws"));
  EXPECT_THAT(difference_after([](auto& log) { log[3].evaluation.loss += 1e-12; }), HasSubstr("round 3: the loss is"));
}

TEST(Replay, AWeightThatCouldNotHaveEnteredIsADifference) {
  EXPECT_THAT(difference_after([](auto& log) { log[1].accepted[0].weight = -1.0; }),
              HasSubstr("accepted in the log, is left out here: the weight is -1"));
}

TEST(Replay, AnotherSeedDrawsOthers) {
  EngineOptions other = run_options;
  other.seed = 99;
  EXPECT_THAT(replay_of(play().log, other).difference.value_or(""), HasSubstr("the seed draws"));
}

TEST(Replay, TellsWhatARecordKeptElsewhereContradicts) {
  const RoundRecord record = play().outcome.history[1];
  const auto after = [&](const std::function<void(RoundRecord&)>& spoil) {
    RoundRecord kept = record;
    spoil(kept);
    return difference_between(kept, record).value_or("none");
  };
  EXPECT_EQ(after([](RoundRecord&) {}), "none");
  EXPECT_THAT(after([](RoundRecord& kept) { kept.accepted[0].weight = 2.0; }), HasSubstr("the checkpoint says"));
  EXPECT_THAT(after([](RoundRecord& kept) { kept.accepted.pop_back(); }), HasSubstr("contributions were accepted"));
  EXPECT_THAT(after([](RoundRecord& kept) { kept.cohort.pop_back(); }), HasSubstr("were asked"));
  EXPECT_THAT(after([](RoundRecord& kept) { kept.global_sha256 = "x"; }), HasSubstr("the checkpoint says x"));
}

}  // namespace
}  // namespace fedtune::fed
