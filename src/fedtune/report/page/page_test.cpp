#include "fedtune/report/page/page.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/report/page/line_chart.h"

namespace fedtune::report {
namespace {

using nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

struct Wanted {
  std::string name;
  std::string scheme = "fedlora";
  int seed = 1;
  int rounds = 2;
  double gain = 0.0;  // of accuracy
  int rank = 8;
  std::string data = "data";
};

RunResults results_of(const Wanted& wanted) {
  RunResults results;
  results.config = {{"scheme", wanted.scheme},     {"client_ckpt", "some <model>"}, {"data_path", wanted.data},
                    {"num_rounds", wanted.rounds}, {"lora_r", wanted.rank},         {"client_lr", 0.005},
                    {"seed", wanted.seed}};
  results.scheme = wanted.scheme;
  results.seed = static_cast<std::uint64_t>(wanted.seed);
  results.majority_accuracy = 0.5;
  results.clients = {{.rank = 1, .sentences = 30, .batches = 4, .labels = {10, 20}},
                     {.rank = 2, .sentences = 40, .batches = 5, .labels = {25, 15}}};
  results.command = "fedtune run --seed " + std::to_string(wanted.seed);
  results.final_sha256 = "hash-of-" + wanted.name;
  for (int round = 0; round <= wanted.rounds; ++round) {
    results.metrics.push_back({.round = round,
                               .loss = 0.7 - 0.1 * round,
                               .accuracy = 0.5 + 0.1 * round + wanted.gain,
                               .mcc = 0.2 * round,
                               .f1 = 0.5});
    if (round == 0) continue;
    results.bytes.push_back({.round = round, .up = 2000, .down = 2000});
    results.seconds.push_back(
        {.round = round, .train = 1.5, .aggregate = 0.25, .distil = 0.0, .evaluate = 0.5, .wait = 0.0});
    results.speed.push_back({.round = round, .sentences_per_second = 50.0});
  }
  return results;
}

std::string events_of(const RunResults& results) {
  ordered_json opening = {{"event", "run"}};
  opening.update(opening_json(results));
  std::string text = opening.dump() + "\n";
  for (const RoundMetrics& m : results.metrics) {
    ordered_json event = {{"event", m.round == 0 ? "start" : "round"},
                          {"round", m.round},
                          {"loss", m.loss},
                          {"accuracy", m.accuracy},
                          {"mcc", m.mcc},
                          {"f1", m.f1}};
    if (m.round > 0) {
      text += ordered_json{{"event", "round_start"}, {"round", m.round}, {"cohort", {1, 2}}}.dump() + "\n";
      text +=
          ordered_json{{"event", "refused"}, {"round", m.round}, {"rank", 2}, {"reason", "not <finite>"}}.dump() + "\n";
      event["bytes"] = {{"up", 2000}, {"down", 2000}};
      event["seconds"] = {{"train", 1.5}, {"aggregate", 0.25}, {"distil", 0.0}, {"evaluate", 0.5}, {"wait", 0.0}};
      event["contributions"] = {{{"rank", 1}, {"share", 1.0}, {"norm", 0.5 * m.round}, {"cosine", 1.0}}};
      event["averaging_error"] = {{"layer.2.q", 0.25}, {"layer.10.q", 0.5}};
    }
    text += event.dump() + "\n";
  }
  return text;
}

RunRecord record_of(const Wanted& wanted) {
  const RunResults results = results_of(wanted);
  return run_record({.folder = "results/" + wanted.name, .results = to_json(results), .events = events_of(results)});
}

template <typename... Each>
std::string page_of(const Each&... wanted) {
  std::vector<RunRecord> runs;
  (runs.push_back(record_of(wanted)), ...);
  return to_page(Study(std::move(runs)));
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Page, OfOneRunShowsItsScoresSharesContributionsAndHowToRepeatIt) {
  const std::string page = page_of(Wanted{.name = "a"});
  for (const char* expected : {"Accuracy", "MCC", "majority", "Accuracy against bytes", "Time of each round",
                               "Sentences by label", "Size of each client", "Error of the averaged adapters",
                               "fedtune run --seed 1", "hash-of-a", "not &lt;finite&gt;"}) {
    EXPECT_THAT(page, HasSubstr(expected));
  }
}

TEST(Page, OfSharesThatCountFewerClassesThanOthersShowsThemAll) {
  RunResults results = results_of({.name = "a"});
  results.public_sentences = 3;
  results.public_labels = {3};
  results.validation_labels = {4, 5};
  results.clients[1].labels = {20, 15, 5};
  const std::string page =
      to_page(Study({run_record({.folder = "results/a", .results = to_json(results), .events = events_of(results)})}));
  EXPECT_THAT(page, HasSubstr("public, label 0: 3"));
  EXPECT_THAT(page, HasSubstr("client 2, label 2: 5"));
}

TEST(Page, NeedsNothingBesideItAndRunsNothing) {
  const std::string page = page_of(Wanted{.name = "a"}, Wanted{.name = "b", .scheme = "fedavg"});
  for (const char* unwanted : {"<script", "http://", "https://", "src=", "@import", "url("}) {
    EXPECT_THAT(page, Not(HasSubstr(unwanted)));
  }
}

TEST(Page, TextOfARunIsNeverMarkup) {
  const std::string page = page_of(Wanted{.name = "<b>\"x\"&"});
  EXPECT_THAT(page, Not(HasSubstr("<b>")));
  EXPECT_THAT(page, Not(HasSubstr("some <model>")));
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;&quot;x&quot;&amp;"));
}

TEST(Page, EveryChartHasItsFiguresInATable) {
  const std::string page = page_of(Wanted{.name = "a"});
  EXPECT_EQ(count(page, "<svg"), count(page, "<figure>"));
  EXPECT_EQ(count(page, "<figure>"), count(page, "<details><summary>") - 1);  // one more lists the options
}

TEST(Page, RunsThatDifferInTheirSeedAloneAreOneContenderWithABand) {
  const std::string page = page_of(Wanted{.name = "a"}, Wanted{.name = "b", .seed = 2, .gain = 0.05});
  EXPECT_THAT(page, HasSubstr("class=\"bd f0\""));
  EXPECT_THAT(page, Not(HasSubstr("class=\"bd f1\"")));
  EXPECT_THAT(page, HasSubstr("0.7250"));  // mean of 0.70 and 0.75
}

TEST(Page, SchemesWithCommonSeedsAreComparedInPairs) {
  const std::string page = page_of(Wanted{.name = "a1"}, Wanted{.name = "a2", .seed = 2},
                                   Wanted{.name = "b1", .scheme = "fedavg", .gain = 0.1},
                                   Wanted{.name = "b2", .scheme = "fedavg", .seed = 2, .gain = 0.12});
  EXPECT_THAT(page, HasSubstr("fedlora, fedavg"));
  EXPECT_THAT(page, HasSubstr("+0.1100"));
}

TEST(Page, ContendersAreNamedByWhatDiffersWithinTheirScheme) {
  const std::string page = page_of(Wanted{.name = "a", .rank = 8}, Wanted{.name = "b", .rank = 16},
                                   Wanted{.name = "c", .scheme = "fedavg", .rank = 4});
  for (const char* label : {">fedlora r8</th>", ">fedlora r16</th>", ">fedavg</th>"}) {
    EXPECT_THAT(page, HasSubstr(label));
  }
}

TEST(Page, WhatSetsContendersApartLeavesOutWhatASchemeDoesNotRead) {
  const std::string page = page_of(Wanted{.name = "a", .rank = 8}, Wanted{.name = "b", .scheme = "fedavg", .rank = 16});
  EXPECT_THAT(page, HasSubstr("<th scope=\"col\">lora-r</th>"));
  EXPECT_THAT(page, HasSubstr(">fedlora</th><td>fedlora</td><td>8</td>"));
  EXPECT_THAT(page, HasSubstr(">fedavg</th><td>fedavg</td><td>-</td>"));
}

TEST(Page, LongDifferencesAreLetters) {
  const std::string page = page_of(Wanted{.name = "a", .data = "the first of two folders"},
                                   Wanted{.name = "b", .data = "the second of two folders"});
  EXPECT_THAT(page, HasSubstr(">A</th><td>fedlora</td><td>the first of two folders</td>"));
}

TEST(Page, TheSeventhContenderHasAShapeOfItsOwn) {
  const auto shape_of = [](int look) {
    const std::string svg = to_svg({.title = "t",
                                    .x_title = "x",
                                    .summary = "s",
                                    .lines = {{.label = "l", .look = look, .points = {{0, 0.5}, {1, 0.6}}}}});
    const std::size_t at = svg.find("<path class=\"f0\"");
    return svg.substr(svg.find("d=\"", at), 12);
  };
  EXPECT_NE(shape_of(0), shape_of(6));
}

TEST(Page, ManyClientsAndRoundsStayUnderAMegabyte) {
  RunResults results = results_of({.name = "big", .rounds = 1000});
  results.clients.clear();
  for (int rank = 1; rank <= 1000; ++rank) {
    results.clients.push_back({.rank = rank, .sentences = 32, .batches = 1, .labels = {16, 16}});
  }
  std::vector<RunRecord> runs;
  runs.push_back(run_record({.folder = "big", .results = to_json(results), .events = events_of(results)}));
  EXPECT_LT(to_page(Study(std::move(runs))).size(), 1'000'000u);
}

TEST(Page, CsvHasALineForEachRoundOfEachRun) {
  std::vector<RunRecord> runs;
  runs.push_back(record_of({.name = "a, b"}));
  const std::string csv = to_csv(Study(std::move(runs)));
  EXPECT_EQ(count(csv, "\r\n"), 4u);  // names, rounds 0, 1 and 2
  EXPECT_THAT(
      csv, HasSubstr("\"a, b\",fedlora,fedlora,1,1,0.6,0.2,0.5,0.6,,,0.5,2000,2000,1.5,0.25,0,0.5,0,50,1,1,0.375,0.5"));
}

TEST(Page, CsvHasWhatARunSaysInCellsOfItsOwn) {
  std::vector<RunRecord> runs;
  runs.push_back(record_of(Wanted{.name = "a", .scheme = "some, \"other\""}));
  EXPECT_THAT(to_csv(Study(std::move(runs))), HasSubstr("\"some, \"\"other\"\"\",1,"));
}

TEST(RunRecordFromFiles, OfAnUnfinishedRunIsWhatItsEventsSay) {
  const RunResults results = results_of({.name = "a", .rounds = 3});
  std::string events = events_of(results);
  events = events.substr(0, events.find(R"({"event":"round","round":3)"));
  const RunRecord record = run_record({.folder = "a", .results = nullptr, .events = events});
  EXPECT_FALSE(record.finished);
  ASSERT_EQ(record.results.metrics.size(), 3u);
  EXPECT_EQ(record.results.scheme, "fedlora");
  EXPECT_EQ(record.results.clients.size(), 2u);
  EXPECT_THAT(record.remarks, testing::Contains(HasSubstr("2 of 3 rounds")));
}

TEST(RunRecordFromFiles, OfARunBeforeItsFirstRoundMissesNoContributions) {
  const RunResults results = results_of({.name = "a"});
  std::string events = events_of(results);
  events = events.substr(0, events.find(R"({"event":"round_start","round":1)"));
  const RunRecord record = run_record({.folder = "a", .results = nullptr, .events = events});
  EXPECT_THAT(record.remarks, testing::ElementsAre(HasSubstr("0 of 2 rounds")));
}

TEST(RunRecordFromFiles, ADamagedEventLogIsReadUpToTheDamageAndSaid) {
  const RunResults results = results_of({.name = "a"});
  const std::string events = events_of(results) + "{\"event\": \n" + events_of(results);
  const RunRecord record = run_record({.folder = "a", .results = to_json(results), .events = events});
  EXPECT_THAT(record.remarks, testing::ElementsAre(HasSubstr("damaged at line 9")));
  EXPECT_EQ(record.details.size(), 2u);
}

TEST(RunRecordFromFiles, AnEventOfAnotherFormIsDamageToo) {
  const RunResults results = results_of({.name = "a"});
  for (const char* event : {R"({"event":"run","fedtune":7})", R"({"event":"round","round":1,"bytes":7})",
                            R"({"event":"round","round":1,"seconds":[]})", R"({"event":"round","round":"1"})"}) {
    const RunRecord record =
        run_record({.folder = "a", .results = {}, .events = events_of(results) + event + "\n" + events_of(results)});
    EXPECT_THAT(record.remarks, testing::Contains(HasSubstr("damaged at line 9"))) << event;
  }
}

TEST(RunRecordFromFiles, ATornLastLineIsNoDamage) {
  const RunResults results = results_of({.name = "a"});
  const RunRecord record =
      run_record({.folder = "a", .results = to_json(results), .events = events_of(results) + "{\"ev"});
  EXPECT_TRUE(record.remarks.empty());
}

TEST(RunRecordFromFiles, WithoutEventsShowsTheResultsAlone) {
  const RunResults results = results_of({.name = "a"});
  std::vector<RunRecord> runs;
  runs.push_back(run_record({.folder = "a", .results = to_json(results), .events = ""}));
  EXPECT_EQ(runs[0].remarks.size(), 1u);
  EXPECT_THAT(to_page(Study(std::move(runs))), Not(HasSubstr("Size of each client")));
}

TEST(RunRecordFromFiles, AFolderWithoutARunIsBadInput) {
  const TemporaryFolder folder;
  EXPECT_THROW(load_run(folder.path()), Error);
  EXPECT_THROW(load_run(folder / "none"), Error);
  write_file_atomically(folder / "config.toml", "");
  EXPECT_THROW(load_run(folder.path()), Error);
  write_file_atomically(folder / "results.json", "{\"fedtune\": 3}");
  EXPECT_THROW(load_run(folder.path()), Error);
}

TEST(ResultsFrom, IsTheInverseOfToJson) {
  RunResults results = results_of({.name = "a"});
  results.metrics[1].teacher = TeacherScores{.loss = 0.25, .accuracy = 0.875};
  results.controls = {{.name = "centralised", .metrics = results.metrics[2]}};
  const ordered_json json = to_json(results);
  EXPECT_EQ(to_json(results_from(nlohmann::json(json), "x"))["fedtune"], json["fedtune"]);
}

}  // namespace
}  // namespace fedtune::report
