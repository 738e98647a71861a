#include "fedtune/fed/engine.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/fed/in_process_transport.h"
#include "fedtune/fed/toy_federation.h"
#include "fedtune/format/tensor_hash.h"

namespace fedtune::fed {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const EngineOptions four_clients{.rounds = 3, .clients = 4, .seed = toy_seed};

RunOutcome run_scripted(const ScriptedTransport::Script& script, ToyTask::Behaviour behaviour = {},
                        Observer observer = {}) {
  ToyTask task(std::move(behaviour));
  ToyStrategy strategy;
  ScriptedTransport transport(task, script);
  return Engine(four_clients, {.strategy = strategy, .transport = transport}, std::move(observer)).run();
}

std::string undisturbed_hash() {
  static const std::string hash = final_sha256(run_scripted({}).global);
  return hash;
}

// The final tensors when `rank` is never heard.
std::string hash_without(int rank) {
  return final_sha256(run_scripted([rank](std::vector<Update>& updates) {
                        std::erase_if(updates, [rank](const Update& u) { return u.rank == rank; });
                      }).global);
}

TEST(Engine, GivesTheSameBitsForAnyNumberOfWorkers) {
  for (const int workers : {1, 2, 8}) {
    ToyTask task;
    ToyStrategy strategy;
    InProcessTransport transport(task, workers);
    const RunOutcome outcome = Engine(four_clients, {.strategy = strategy, .transport = transport}).run();
    EXPECT_EQ(final_sha256(outcome.global), undisturbed_hash()) << workers << " workers";
  }
}

TEST(Engine, GivesTheSameBitsForAnyOrderOfArrival) {
  EXPECT_EQ(final_sha256(run_scripted([](auto& updates) { std::reverse(updates.begin(), updates.end()); }).global),
            undisturbed_hash());
  EXPECT_EQ(final_sha256(run_scripted([](auto& updates) {
                           std::rotate(updates.begin(), updates.begin() + 1, updates.end());
                         }).global),
            undisturbed_hash());
}

TEST(Engine, AnotherRoundGivesOtherTensors) {
  ToyTask task;
  ToyStrategy strategy;
  ScriptedTransport transport(task);
  EngineOptions longer = four_clients;
  longer.rounds = 4;
  EXPECT_NE(final_sha256(Engine(longer, {.strategy = strategy, .transport = transport}).run().global),
            undisturbed_hash());
}

TEST(Engine, RecordsEveryRoundFromRoundZero) {
  ToyTask task;
  ToyStrategy strategy;
  ScriptedTransport transport(task);
  const RunOutcome outcome = Engine(four_clients, {.strategy = strategy, .transport = transport}).run();
  ASSERT_EQ(outcome.history.size(), 4u);
  EXPECT_EQ(strategy.evaluations, 4);
  EXPECT_DOUBLE_EQ(outcome.history[0].evaluation.loss, 0.25);
  EXPECT_THAT(outcome.history[0].cohort, IsEmpty());
  const RoundRecord& last = outcome.history[3];
  EXPECT_EQ(last.round, 3);
  EXPECT_THAT(last.cohort, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(last.accepted.size(), 4u);
  EXPECT_EQ(last.accepted[3].rank, 4);
  EXPECT_EQ(last.accepted[3].weight, 14.0);
  EXPECT_EQ(last.bytes_up, 4 * 4 * static_cast<std::int64_t>(toy_size));
  EXPECT_EQ(last.bytes_down, last.bytes_up);
  EXPECT_GT(last.seconds.train, 0.0);
  EXPECT_NEAR(last.sentences_per_second(), 400.0 / last.seconds.train, 1e-6);
}

TEST(Engine, TellsItsObserverWhatHappensInOrder) {
  std::vector<std::string> seen;
  const auto note = [&seen](const char* what, int round) { seen.push_back(fmt::format("{} {}", what, round)); };
  const Observer observer{.on_start = [&](const RoundRecord& r) { note("start", r.round); },
                          .on_round_start = [&](int round, std::span<const int>) { note("begin", round); },
                          .on_client = [&](int, const ClientRecord& c) { note("client", c.rank); },
                          .on_refused = [&](int, const Refusal& r) { note("refused", r.rank); },
                          .on_round = [&](const RoundRecord& r) { note("round", r.round); },
                          .events_bytes = {}};
  const auto fail_once = [](const Instruction& instruction, Update&) {
    if (instruction.rank == 3) throw failed("no power");
  };
  run_scripted({}, fail_once, observer);
  seen.resize(8);
  EXPECT_THAT(seen,
              ElementsAre("start 0", "begin 1", "refused 3", "client 1", "client 2", "client 4", "round 1", "begin 2"));
}

TEST(Engine, AFailedClientIsLeftOutWithItsReason) {
  const RunOutcome outcome = run_scripted({}, [](const Instruction& instruction, Update&) {
    if (instruction.rank == 2) throw failed("client 2: the loss is nan");
  });
  EXPECT_EQ(final_sha256(outcome.global), hash_without(2));
  ASSERT_EQ(outcome.history[1].refused.size(), 1u);
  EXPECT_EQ(outcome.history[1].refused[0].rank, 2);
  EXPECT_THAT(outcome.history[1].refused[0].reason, HasSubstr("the loss is nan"));
  EXPECT_EQ(outcome.history[1].accepted.size(), 3u);
}

// One way for client 2 to send something that must not enter, and a part of the reason.
struct Malformed {
  const char* reason;
  std::function<void(Update&)> spoil;
};

class EngineRefuses : public testing::TestWithParam<Malformed> {};

TEST_P(EngineRefuses, AndLeavesTheOthersAggregateAsItWas) {
  const RunOutcome outcome = run_scripted([](std::vector<Update>& updates) { GetParam().spoil(updates[1]); });
  EXPECT_EQ(final_sha256(outcome.global), hash_without(2));
  EXPECT_THAT(outcome.history[1].refused.at(0).reason, HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    EachWayToBeInvalid, EngineRefuses,
    testing::Values(
        Malformed{"weight is 0", [](Update& u) { u.weight = 0.0; }},
        Malformed{"weight is 1e+300", [](Update& u) { u.weight = 1e300; }},
        Malformed{"weight is -3", [](Update& u) { u.weight = -3.0; }},
        Malformed{"found tensor 'v', expected 'w'",
                  [](Update& u) {
                    u.tensors =
                        test_tensors({{"v", {static_cast<std::int64_t>(toy_size)}, std::vector<float>(toy_size)}});
                  }},
        Malformed{"is F16, expected F32", [](Update& u) { u.tensors.tensors[0].dtype = DType::f16; }},
        Malformed{"has 8 bytes, expected 4000",
                  [](Update& u) { u.tensors.tensors[0].bytes = u.tensors.tensors[0].bytes.first(8); }},
        Malformed{"2 tensors, expected 1", [](Update& u) { u.tensors.tensors.push_back(u.tensors.tensors[0]); }},
        Malformed{"holds inf at index 0",
                  [](Update& u) { u.tensors = toy_tensors(std::vector<float>(toy_size, HUGE_VALF)); }},
        Malformed{"weight is nan", [](Update& u) { u.weight = std::nan(""); }},
        Malformed{"0 tensors", [](Update& u) { u.tensors = {}; }},
        Malformed{"shape [3]", [](Update& u) { u.tensors = toy_tensors({1, 2, 3}); }},
        Malformed{"holds nan at index 0",
                  [](Update& u) { u.tensors = toy_tensors(std::vector<float>(toy_size, std::nanf(""))); }},
        Malformed{"norm", [](Update& u) { u.tensors = toy_tensors(std::vector<float>(toy_size, 1e30f)); }},
        Malformed{"for round 99, expected round 1", [](Update& u) { u.round = 99; }},
        Malformed{"not asked", [](Update& u) { u.rank = 7; }}, Malformed{"not asked", [](Update& u) { u.rank = -2; }}));

TEST(Engine, AWeightIsCappedWhereARunSaysSo) {
  EngineOptions capped = four_clients;
  capped.max_client_weight = 12.0;
  const auto run = [](const EngineOptions& options, ToyTask::Behaviour behaviour) {
    ToyTask task(std::move(behaviour));
    ToyStrategy strategy;
    ScriptedTransport transport(task);
    return Engine(options, {.strategy = strategy, .transport = transport}).run();
  };
  const RunOutcome outcome = run(capped, {});
  EXPECT_EQ(final_sha256(outcome.global), final_sha256(run(four_clients, [](const Instruction&, Update& update) {
                                                         update.weight = std::min(update.weight, 12.0);
                                                       }).global));
  EXPECT_EQ(outcome.history[1].accepted[3].weight, 12.0);
  EXPECT_EQ(outcome.history[1].accepted[3].sent_weight, 14.0);
  EXPECT_EQ(outcome.history[1].accepted[0].weight, 11.0);
}

TEST(Engine, RecordsTheHashAndTheNormsOfEachContribution) {
  const RunOutcome outcome = run_scripted([](std::vector<Update>& updates) {
    std::vector<float> values(toy_size, 0.25f);
    values[7] += 3.0f;
    updates[0].tensors = toy_tensors(values);
  });
  const ClientRecord& client = outcome.history[1].accepted[0];
  EXPECT_DOUBLE_EQ(client.change, 3.0);
  EXPECT_NEAR(client.norm, std::sqrt(0.25 * 0.25 * (toy_size - 1) + 3.25 * 3.25), 1e-9);
  std::vector<float> values(toy_size, 0.25f);
  values[7] += 3.0f;
  EXPECT_EQ(client.sha256, final_sha256(toy_tensors(values)));
  EXPECT_EQ(outcome.history[3].global_sha256, final_sha256(outcome.global));
}

TEST(HeavyClients, AreThoseAboveTenTimesTheMedian) {
  const auto heavy = [](const std::vector<double>& weights) {
    RoundRecord record;
    for (const double weight : weights) {
      record.accepted.push_back({.rank = static_cast<int>(record.accepted.size()) + 1, .sent_weight = weight});
    }
    return heavy_clients(record);
  };
  EXPECT_THAT(heavy({5, 51, 4, 50}), ElementsAre(2));
  EXPECT_THAT(heavy({5, 50, 5}), IsEmpty());
  EXPECT_THAT(heavy({1, 1000}), IsEmpty());
}

TEST(Engine, ASecondContributionOfAClientIsRefused) {
  const RunOutcome outcome = run_scripted([](std::vector<Update>& updates) {
    Update again = updates[0];
    again.weight = 1000.0;
    updates.push_back(again);
  });
  EXPECT_EQ(final_sha256(outcome.global), undisturbed_hash());
  EXPECT_THAT(outcome.history[1].refused.at(0).reason, HasSubstr("already sent"));
}

TEST(Engine, ARefusedClientHasHadItsTurn) {
  const RunOutcome outcome = run_scripted([](std::vector<Update>& updates) {
    updates.push_back(updates[1]);
    updates[1].weight = -1.0;
  });
  EXPECT_EQ(final_sha256(outcome.global), hash_without(2));
  EXPECT_EQ(outcome.history[1].refused.size(), 2u);
}

TEST(Engine, ARoundWithoutAnyContributionIsTriedAgain) {
  ToyTask task;
  ToyStrategy strategy;
  int exchanges = 0;
  ScriptedTransport transport(task, [&](std::vector<Update>& updates) {
    if (++exchanges == 1) updates.clear();
  });
  const RunOutcome outcome = Engine(four_clients, {.strategy = strategy, .transport = transport}).run();
  EXPECT_EQ(transport.exchanges, 4);
  EXPECT_EQ(final_sha256(outcome.global), undisturbed_hash());
}

TEST(Engine, WhatWouldOnlyHappenAgainIsNotTriedAgain) {
  int trained = 0;
  ToyTask task([&](const Instruction&, Update& update) {
    ++trained;
    update.weight = 0.0;
  });
  ToyStrategy strategy;
  InProcessTransport transport(task, 1);
  EXPECT_THROW(Engine(four_clients, {.strategy = strategy, .transport = transport}).run(), Error);
  EXPECT_EQ(trained, 4);
}

TEST(Engine, TwoAttemptsWithoutAnyContributionEndTheRunWithTheReasons) {
  ToyTask task([](const Instruction&, Update&) { throw failed("no power"); });
  ToyStrategy strategy;
  ScriptedTransport transport(task);
  try {
    Engine(four_clients, {.strategy = strategy, .transport = transport}).run();
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::network);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("round 1: no contribution of 4 clients"), HasSubstr("client 3: no power"),
                                    HasSubstr("and 3 more")));
  }
  EXPECT_EQ(transport.exchanges, 2);
}

TEST(Engine, ASignalEndsTheRunBeforeTheNextRound) {
  Observer observer;
  observer.on_round = [](const RoundRecord& record) { set_interrupt_signal(record.round == 2 ? 15 : 0); };
  EXPECT_THROW(run_scripted({}, {}, observer), Interrupted);
  set_interrupt_signal(0);
}

TEST(Engine, OptionsOutOfRangeAreUsageErrors) {
  ToyTask task;
  ToyStrategy strategy;
  ScriptedTransport transport(task);
  const auto kind_of = [&](const EngineOptions& options) {
    try {
      Engine(options, {.strategy = strategy, .transport = transport});
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::failed;
  };
  EXPECT_EQ(kind_of({.rounds = -1}), ErrorKind::usage);
  EXPECT_EQ(kind_of({.clients = 0}), ErrorKind::usage);
  EXPECT_EQ(kind_of({.fraction_fit = 0.0}), ErrorKind::usage);
  EXPECT_EQ(kind_of({.fraction_fit = 1.5}), ErrorKind::usage);
  EXPECT_EQ(kind_of({.fraction_fit = std::nan("")}), ErrorKind::usage);
}

TEST(ChooseCohort, TakesAllByDefault) {
  EXPECT_THAT(choose_cohort({.clients = 3}, 1), ElementsAre(1, 2, 3));
}

TEST(ChooseCohort, TakesTheFractionRoundedAndAtLeastOne) {
  EXPECT_EQ(choose_cohort({.clients = 10, .fraction_fit = 0.3}, 1).size(), 3u);
  EXPECT_EQ(choose_cohort({.clients = 100, .fraction_fit = 0.29}, 1).size(), 29u);
  EXPECT_EQ(choose_cohort({.clients = 3, .fraction_fit = 0.01}, 1).size(), 1u);
}

TEST(ChooseCohort, IsAFunctionOfSeedAndRound) {
  const EngineOptions options{.clients = 100, .fraction_fit = 0.1, .seed = 3};
  EngineOptions other = options;
  other.seed = 4;
  EXPECT_EQ(choose_cohort(options, 1), choose_cohort(options, 1));
  EXPECT_NE(choose_cohort(options, 1), choose_cohort(options, 2));
  EXPECT_NE(choose_cohort(options, 1), choose_cohort(other, 1));
}

TEST(ChooseCohort, IsSortedAndDrawsEveryClientEquallyOften) {
  const EngineOptions options{.clients = 10, .fraction_fit = 0.3};
  std::vector<int> counts(10, 0);
  for (int round = 1; round <= 10'000; ++round) {
    const std::vector<int> cohort = choose_cohort(options, round);
    EXPECT_TRUE(std::is_sorted(cohort.begin(), cohort.end()));
    for (const int rank : cohort) ++counts.at(static_cast<std::size_t>(rank - 1));
  }
  for (const int count : counts) EXPECT_NEAR(count, 3000, 230);  // 5 standard deviations
}

}  // namespace
}  // namespace fedtune::fed
