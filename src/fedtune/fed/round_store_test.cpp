#include "fedtune/fed/round_store.h"

#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/base/log.h"
#include "fedtune/base/sha256.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/base/testing.h"
#include "fedtune/fed/engine.h"
#include "fedtune/fed/record_json.h"
#include "fedtune/fed/toy_federation.h"
#include "fedtune/format/tensor_hash.h"

namespace fedtune::fed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RoundRecord full_record(int round) {
  return {
      .round = round,
      .cohort = {1, 3},
      .accepted = {{.rank = 1,
                    .weight = 54.0,
                    .report = {.sentences = 1710, .batches = 54, .tokens = 18000, .loss = 0.1 + 0.2, .seconds = 1.5},
                    .sha256 = "ab12",
                    .norm = 1.0 / 7.0,
                    .change = 1.0 / 9.0,
                    .sent_weight = 60.0}},
      .refused = {{.rank = 3, .reason = "the weight is 0"}},
      .bytes_up = 123,
      .bytes_down = 456,
      .seconds = {.train = 1.0 / 3.0, .aggregate = 0.1, .distil = 0.2, .evaluate = 0.3, .wait = 0.4},
      .evaluation = {.loss = 0.7,
                     .reference_loss = 0.02,
                     .accuracy = 0.69,
                     .mcc = -0.1,
                     .f1 = 0.8,
                     .sentences = 1043,
                     .teacher = TeacherEvaluation{.loss = 0.4, .reference_loss = 0.01, .accuracy = 0.9}},
      .global_sha256 = "cd34"};
}

class RoundStoreTest : public testing::Test {
 protected:
  RoundStoreTest() {
    set_log_writer([this](std::string_view line) { log.emplace_back(line); });
  }
  ~RoundStoreTest() override { set_log_writer({}); }

  RoundStore store(const std::string& configuration = "abc") const { return {folder / "checkpoint", configuration}; }

  void save_round(int round, const StrategyState& state = {}) {
    const NamedTensors global = toy_tensors({static_cast<float>(round), 0.5f});
    store().save({.global = global, .record = full_record(round), .state = state, .events_bytes = 100 * round});
  }
  // The round's state, whose one number says since when it has been so.
  static StrategyState state_since(int since) {
    return {.since = since, .tensors = toy_tensors({static_cast<float>(since)})};
  }

  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "checkpoint")) {
      names.insert(entry.path().filename().string());
    }
    return names;
  }
  std::filesystem::path file(const std::string& name) const { return folder / "checkpoint" / name; }

  void flip_a_byte(const std::string& name) const {
    std::string content = read_file(file(name));
    content[content.size() - 1] ^= 1;
    write_file_atomically(file(name), content);
  }

  TemporaryFolder folder;
  std::vector<std::string> log;
};

TEST_F(RoundStoreTest, HoldsNothingAtFirst) {
  EXPECT_FALSE(store().load());
}

TEST_F(RoundStoreTest, WhatIsSavedIsLoaded) {
  save_round(0);
  save_round(1);
  const std::optional<SavedRun> run = store().load();
  ASSERT_TRUE(run);
  EXPECT_EQ(run->round, 1);
  EXPECT_EQ(run->events_bytes, 100);
  EXPECT_THAT(run->global.find("w")->f32(), ElementsAre(1.0f, 0.5f));
  ASSERT_EQ(run->history.size(), 2u);
  EXPECT_EQ(to_json(run->history[1]), to_json(full_record(1)));
}

TEST_F(RoundStoreTest, KeepsTheRoundBeforeAndRemovesOlderOnes) {
  for (int round = 0; round <= 3; ++round) save_round(round);
  EXPECT_THAT(files(), ElementsAre("history-0.jsonl", "history-1.jsonl", "round-0002.json", "round-0002.safetensors",
                                   "round-0003.json", "round-0003.safetensors"));
}

TEST_F(RoundStoreTest, RemovesWhatAKilledSaveLeft) {
  save_round(1);
  write_file_atomically(file(".round-0002.safetensors.fedtune-tmp-1-1"), "torn");
  save_round(2);
  EXPECT_FALSE(files().contains(".round-0002.safetensors.fedtune-tmp-1-1"));
}

TEST_F(RoundStoreTest, TornTensorsFallBackToTheRoundBefore) {
  save_round(1);
  save_round(2);
  std::filesystem::resize_file(file("round-0002.safetensors"), 20);
  EXPECT_EQ(store().load()->round, 1);
  EXPECT_THAT(log.at(0), HasSubstr("round 2 is damaged"));
}

TEST_F(RoundStoreTest, AFlippedBitInTheTensorsFallsBack) {
  save_round(1);
  save_round(2);
  flip_a_byte("round-0002.safetensors");
  EXPECT_EQ(store().load()->round, 1);
}

TEST_F(RoundStoreTest, ATornStateFallsBack) {
  save_round(1);
  save_round(2);
  std::filesystem::resize_file(file("round-0002.json"), 50);
  EXPECT_EQ(store().load()->round, 1);
}

TEST_F(RoundStoreTest, AChangedNumberInTheStateFallsBack) {
  save_round(1);
  save_round(2);
  std::string text = read_file(file("round-0002.json"));
  text.replace(text.find("\"events_bytes\": 200"), 19, "\"events_bytes\": 201");
  write_file_atomically(file("round-0002.json"), text);
  EXPECT_EQ(store().load()->round, 1);
}

TEST_F(RoundStoreTest, AChangedNumberInAnOldRoundFallsBackToTheHistoryOfTheRoundBefore) {
  for (int round = 0; round <= 3; ++round) save_round(round);
  std::string text = read_file(file("history-1.jsonl"));
  text.replace(text.find("1710"), 4, "1711");
  write_file_atomically(file("history-1.jsonl"), text);
  const std::optional<SavedRun> run = store().load();
  EXPECT_EQ(run->round, 2);
  EXPECT_EQ(to_json(run->history.at(1)), to_json(full_record(1)));
}

TEST_F(RoundStoreTest, AHistoryThatIsTooShortFallsBack) {
  for (int round = 0; round <= 3; ++round) save_round(round);
  std::filesystem::resize_file(file("history-1.jsonl"), 20);
  EXPECT_EQ(store().load()->round, 2);
  EXPECT_THAT(log.at(0), HasSubstr("history-1.jsonl: found 0 rounds, expected 4"));
}

TEST_F(RoundStoreTest, ALineThatAKilledSaveAddedIsNotOfTheHistory) {
  for (int round = 0; round <= 3; ++round) save_round(round);
  append_to_file(file("history-1.jsonl"), "half a line");
  EXPECT_EQ(store().load()->round, 3);
  save_round(4);
  save_round(5);
  EXPECT_EQ(store().load()->history.size(), 6u);
}

TEST_F(RoundStoreTest, ASaveAddsTheRoundsThatItsHistoryLacks) {
  RoundStore writer = store();
  const NamedTensors global = toy_tensors({0.5f});
  std::size_t record_bytes = 0;
  std::string before;
  for (int round = 0; round <= 99; ++round) {
    writer.save({.global = global, .record = full_record(round)});
    if (round == 97) before = read_file(file("history-1.jsonl"));
    if (round == 10) record_bytes = read_file(file("round-0010.json")).size();
  }
  EXPECT_THAT(read_file(file("history-1.jsonl")), testing::StartsWith(before));
  EXPECT_LT(read_file(file("round-0099.json")).size(), record_bytes + 10);
  const std::vector<SavedRun> runs = store().load_all();
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].history.size(), 100u);
  EXPECT_EQ(runs[1].history.size(), 99u);
  EXPECT_EQ(to_json(runs[0].history[50]), to_json(full_record(50)));
  EXPECT_EQ(store().history().size(), 100u);
}

// As `fedtune distill` and `fedtune pretrain` save.
TEST_F(RoundStoreTest, RoundsThatAreLeftOutAreNotOfTheHistory) {
  RoundStore writer = store();
  const NamedTensors global = toy_tensors({0.5f});
  for (const int round : {2, 4, 7, 9, 10}) {
    writer.save({.global = global, .record = full_record(round)});
    EXPECT_EQ(store().load()->history.back().round, round);
  }
  std::vector<int> rounds;
  for (const RoundRecord& record : store().history()) rounds.push_back(record.round);
  EXPECT_THAT(rounds, ElementsAre(2, 4, 7, 9, 10));
}

TEST_F(RoundStoreTest, ASaveGoesOnAfterOneThatFailed) {
  RoundStore writer = store();
  const NamedTensors global = toy_tensors({0.5f});
  for (const int round : {0, 1, 2}) writer.save({.global = global, .record = full_record(round)});
  // A folder in the record's place: the history is written by then.
  std::filesystem::create_directories(file("round-0003.json") / "in the way");
  EXPECT_THROW(writer.save({.global = global, .record = full_record(3)}), Error);
  EXPECT_EQ(store().load()->round, 2);
  std::filesystem::remove_all(file("round-0003.json"));
  for (const int round : {3, 4}) writer.save({.global = global, .record = full_record(round)});
  const std::optional<SavedRun> run = store().load();
  ASSERT_EQ(run->history.size(), 5u);
  for (std::size_t round = 0; round <= 4; ++round) {
    EXPECT_EQ(to_json(run->history[round]), to_json(full_record(static_cast<int>(round))));
  }
}

TEST_F(RoundStoreTest, ARoundAfterADamagedHistoryGoesOnFromTheOneBefore) {
  for (int round = 0; round <= 3; ++round) save_round(round);
  flip_a_byte("history-1.jsonl");
  EXPECT_EQ(store().load()->round, 2);
  save_round(3);
  EXPECT_EQ(store().load()->round, 3);
  EXPECT_EQ(store().history().size(), 4u);
}

TEST_F(RoundStoreTest, WhatIsNoRecordIsRefusedWithItsLine) {
  save_round(0);
  write_file_atomically(file("history-0.jsonl"), "{\"round\": 0}\n");
  nlohmann::json state = nlohmann::json::parse(read_file(file("round-0000.json")))["state"];
  state["history_sha256"] = sha256_hex("{\"round\": 0}");
  write_file_atomically(file("round-0000.json"),
                        nlohmann::json{{"sha256", sha256_hex(state.dump())}, {"state", state}}.dump());
  EXPECT_THAT(error_of([&] { store().history(); }), HasSubstr("history-0.jsonl, line 1"));
}

TEST_F(RoundStoreTest, TensorsWithoutTheirStateAreNoRound) {
  save_round(1);
  save_round(2);
  std::filesystem::remove(file("round-0002.json"));
  EXPECT_EQ(store().load()->round, 1);
}

TEST_F(RoundStoreTest, ARoundSavedAfterAFallBackReplacesTheDamagedOne) {
  save_round(1);
  save_round(2);
  flip_a_byte("round-0002.safetensors");
  save_round(2);
  EXPECT_EQ(store().load()->round, 2);
}

TEST_F(RoundStoreTest, WhatTheStrategyKeepsIsLoadedWithTheRound) {
  save_round(1);
  EXPECT_EQ(store().load()->state.since, 0);
  save_round(2, state_since(2));
  const StrategyState state = store().load()->state;
  EXPECT_EQ(state.since, 2);
  EXPECT_THAT(state.tensors.find("w")->f32(), ElementsAre(2.0f));
}

TEST_F(RoundStoreTest, AStateThatHasNotChangedIsWrittenOnce) {
  save_round(1, state_since(1));
  const auto written = std::filesystem::last_write_time(file("state-0001.safetensors"));
  for (int round = 2; round <= 4; ++round) save_round(round, state_since(1));
  EXPECT_EQ(std::filesystem::last_write_time(file("state-0001.safetensors")), written);
  EXPECT_EQ(store().load()->state.since, 1);
  EXPECT_TRUE(files().contains("state-0001.safetensors"));
  EXPECT_FALSE(files().contains("state-0004.safetensors"));
}

TEST_F(RoundStoreTest, AStateIsRemovedWithTheLastRoundThatNeedsIt) {
  save_round(1, state_since(1));
  save_round(2, state_since(2));
  EXPECT_TRUE(files().contains("state-0001.safetensors"));
  save_round(3, state_since(3));
  EXPECT_FALSE(files().contains("state-0001.safetensors"));
  EXPECT_THAT(files(), testing::IsSupersetOf({"state-0002.safetensors", "state-0003.safetensors"}));
}

TEST_F(RoundStoreTest, ADamagedStateFallsBackToTheRoundBefore) {
  save_round(1, state_since(1));
  save_round(2, state_since(2));
  flip_a_byte("state-0002.safetensors");
  EXPECT_EQ(store().load()->round, 1);
  EXPECT_EQ(store().load()->state.since, 1);
}

TEST_F(RoundStoreTest, ARoundPlayedAgainWritesItsStateAgain) {
  save_round(1, state_since(1));
  save_round(2, state_since(2));
  flip_a_byte("state-0002.safetensors");
  save_round(2, state_since(2));
  EXPECT_EQ(store().load()->round, 2);
}

TEST_F(RoundStoreTest, AStateThatAKilledSaveLeftIsWrittenAgain) {
  save_round(1, state_since(1));
  write_file_atomically(file("state-0002.safetensors"), "of a save that never wrote its record");
  save_round(2, state_since(2));
  EXPECT_EQ(store().load()->round, 2);
}

TEST_F(RoundStoreTest, NoWholeRoundIsAnInputErrorWithTheReasons) {
  save_round(1);
  flip_a_byte("round-0001.safetensors");
  EXPECT_THAT(error_of([&] { store().load(); }), HasSubstr("checksum does not match"));
}

TEST_F(RoundStoreTest, AnotherConfigurationIsAUsageError) {
  save_round(1);
  EXPECT_THAT(error_of([&] { store("other").load(); }, ErrorKind::usage), HasSubstr("another configuration"));
}

TEST(RecordJson, ALossThatIsNotFiniteSurvivesAsNan) {
  RoundRecord record = full_record(1);
  record.evaluation.loss = INFINITY;
  const auto text = to_json(record).dump();
  EXPECT_TRUE(std::isnan(round_record_from(nlohmann::json::parse(text), "x").evaluation.loss));
}

class ResumeTest : public RoundStoreTest {
 protected:
  static constexpr int rounds = 5;
  static constexpr EngineOptions options{.rounds = rounds, .clients = 4, .fraction_fit = 0.5, .seed = toy_seed};

  // Runs from what the store holds; a signal arrives at the end of `interrupted_after`.
  template <typename Rule = ToyStrategy, typename... Arguments>
  RunOutcome run(int interrupted_after = -1, Arguments... arguments) {
    ToyTask task;
    Rule strategy(arguments...);
    ScriptedTransport transport(task);
    RoundStore store = this->store();
    Observer observer;
    observer.on_round = [=](const RoundRecord& r) {
      if (r.round == interrupted_after) set_interrupt_signal(15);
    };
    Engine engine(options, {.strategy = strategy, .transport = transport, .store = &store}, observer);
    try {
      RunOutcome outcome = engine.run(store.load());
      exchanges = transport.exchanges;
      return outcome;
    } catch (const Interrupted&) {
      set_interrupt_signal(0);
      return {};
    }
  }
  template <typename Rule = ToyStrategy, typename... Arguments>
  static std::string straight_hash(Arguments... arguments) {
    ToyTask task;
    Rule strategy(arguments...);
    ScriptedTransport transport(task);
    return final_sha256(Engine(options, {.strategy = strategy, .transport = transport}).run().global);
  }

  int exchanges = 0;
};

TEST_F(ResumeTest, GivesTheSameBytesAsStraightThroughAfterAnyRound) {
  for (int round = 1; round < rounds; ++round) {
    std::filesystem::remove_all(folder / "checkpoint");
    run(round);
    const RunOutcome resumed = run();
    EXPECT_EQ(exchanges, rounds - round);
    EXPECT_EQ(resumed.history.size(), rounds + 1u);
    EXPECT_EQ(final_sha256(resumed.global), straight_hash()) << "after round " << round;
  }
}

TEST_F(ResumeTest, PutsBackWhatTheStrategyKept) {
  for (const int last_change : {1000, 2}) {
    std::filesystem::remove_all(folder / "checkpoint");
    run<ToyMomentum>(3, last_change);
    const RunOutcome resumed = run<ToyMomentum>(-1, last_change);
    EXPECT_EQ(exchanges, rounds - 3);
    EXPECT_EQ(final_sha256(resumed.global), straight_hash<ToyMomentum>(last_change));
  }
}

TEST_F(ResumeTest, RedoesOneRoundWhereTheNewestIsTorn) {
  run(3);
  std::filesystem::resize_file(file("round-0003.safetensors"), 10);
  const RunOutcome resumed = run();
  EXPECT_EQ(exchanges, rounds - 2);
  EXPECT_EQ(final_sha256(resumed.global), straight_hash());
}

TEST_F(ResumeTest, AFinishedRunDoesNothingMore) {
  const std::string hash = final_sha256(run().global);
  const RunOutcome again = run();
  EXPECT_EQ(exchanges, 0);
  EXPECT_EQ(final_sha256(again.global), hash);
}

TEST_F(ResumeTest, ACheckpointOfAnotherModelIsRefused) {
  save_round(1);
  EXPECT_THROW(run(), Error);
}

}  // namespace
}  // namespace fedtune::fed
