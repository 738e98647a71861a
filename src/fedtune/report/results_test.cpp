#include "fedtune/report/results.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/temporary_folder.h"

namespace fedtune::report {
namespace {

using nlohmann::ordered_json;
using testing::ElementsAre;

RunResults two_rounds() {
  RunResults results;
  results.config = {{"num_clients", 4}, {"lora_r", 8}};
  results.elapsed_seconds = 12.5;
  results.version = "0.1.0";
  results.torch = "2.13.0";
  results.cpu = "Some CPU";
  results.kernels = "portable";
  results.seed = 7;
  results.scheme = "fedlora";
  results.metrics = {
      {.round = 0, .loss = 0.7, .reference_loss = 0.5, .accuracy = 0.5, .mcc = 0.0, .f1 = 0.1, .teacher = {}},
      {.round = 1, .loss = 0.6, .reference_loss = 0.25, .accuracy = 0.75, .mcc = 0.4, .f1 = 0.8, .teacher = {}}};
  results.majority_accuracy = 0.69;
  results.bytes = {{.round = 1, .up = 400, .down = 800}};
  results.seconds = {{.round = 1, .train = 1.5, .aggregate = 0.25, .distil = 0.0, .evaluate = 0.5, .wait = 0.125}};
  results.speed = {{.round = 1, .sentences_per_second = 321.5}};
  results.peak_rss_bytes = 1 << 20;
  results.public_sentences = 20;
  results.clients = {{.rank = 1, .sentences = 1710, .batches = 54, .labels = {510, 1200}}};
  results.contributions = {{.round = 1,
                            .accepted = {{.rank = 1, .weight = 54.0, .norm = 2.5, .change = 0.5, .sha256 = "dd"}},
                            .left_out = {{.rank = 2, .reason = "the weight is 0"}},
                            .global_sha256 = "ee"}};
  results.checkpoints = {.client = "aa", .teacher = "", .tokenizer = "bb"};
  results.final_sha256 = "cc";
  return results;
}

RunResults with_teacher() {
  RunResults results = two_rounds();
  results.metrics[0].teacher = TeacherScores{.loss = 0.5, .reference_loss = 0.125, .accuracy = 0.8};
  results.metrics[1].teacher = TeacherScores{.loss = 0.4, .reference_loss = 0.0625, .accuracy = 0.9};
  return results;
}

std::vector<std::string> keys_of(const ordered_json& object) {
  std::vector<std::string> keys;
  for (const auto& item : object.items()) keys.push_back(item.key());
  return keys;
}

TEST(Results, HaveTheReferencesKeysAtTheReferencesPlaces) {
  const ordered_json json = to_json(two_rounds());
  EXPECT_THAT(keys_of(json), ElementsAre("config", "results", "elapsed_time_secs", "fedtune"));
  EXPECT_EQ(json["config"]["num_clients"], 4);
  EXPECT_EQ(json["elapsed_time_secs"], 12.5);
  EXPECT_EQ(json["results"].dump(), R"({"losses_distributed":[[1,0.25]],"losses_centralized":[],)"
                                    R"("metrics_distributed_fit":{},"metrics_distributed":{"accuracy":[[1,0.75]]},)"
                                    R"("metrics_centralized":{}})");
}

TEST(Results, ATeachersSeriesStartAtRoundZero) {
  const ordered_json history = to_json(with_teacher())["results"];
  EXPECT_EQ(history["losses_centralized"], ordered_json::parse("[[0, 0.3125], [1, 0.15625]]"));
  EXPECT_EQ(history["metrics_centralized"],
            ordered_json::parse(R"({"teacher_loss": [[0, 0.125], [1, 0.0625]], "teacher_accuracy": [[0, 0.8], [1, 0.9]],
                                    "student_loss": [[0, 0.5], [1, 0.25]], "student_accuracy": [[0, 0.5], [1, 0.75]]})"));
}

TEST(Results, HoldTheirOwnPartInTheOrderOfTheContract) {
  const ordered_json own = to_json(two_rounds())["fedtune"];
  EXPECT_THAT(keys_of(own),
              ElementsAre("schema", "version", "torch", "cpu", "kernels", "seed", "scheme", "metrics",
                          "majority_accuracy", "bytes", "seconds", "sentences_per_second", "peak_rss_bytes", "public",
                          "clients", "contributions", "checkpoints", "final_sha256"));
  EXPECT_EQ(own["schema"], 1);
  EXPECT_EQ(own["metrics"][1], ordered_json::parse(R"({"round":1,"loss":0.6,"accuracy":0.75,"mcc":0.4,"f1":0.8})"));
  EXPECT_EQ(own["bytes"].dump(), R"([{"round":1,"up":400,"down":800}])");
  EXPECT_EQ(own["seconds"].dump(),
            R"([{"round":1,"train":1.5,"aggregate":0.25,"distil":0.0,"evaluate":0.5,"wait":0.125}])");
  EXPECT_EQ(own["sentences_per_second"].dump(), R"([{"round":1,"value":321.5}])");
  EXPECT_EQ(own["public"].dump(), R"({"sentences":20})");
  EXPECT_EQ(own["clients"].dump(), R"([{"rank":1,"sentences":1710,"batches":54,"labels":[510,1200]}])");
  EXPECT_EQ(own["contributions"].dump(),
            R"([{"round":1,"accepted":[{"rank":1,"weight":54.0,"norm":2.5,"change":0.5,"sha256":"dd"}],)"
            R"("left_out":[{"rank":2,"reason":"the weight is 0"}],"global_sha256":"ee"}])");
  EXPECT_EQ(own["checkpoints"].dump(), R"({"client":"aa","teacher":null,"tokenizer":"bb"})");
}

TEST(Results, ATeachersScoresStandBesideTheStudents) {
  const ordered_json metrics = to_json(with_teacher())["fedtune"]["metrics"][0];
  EXPECT_EQ(metrics["teacher_loss"], 0.5);
  EXPECT_EQ(metrics["teacher_accuracy"], 0.8);
}

TEST(Results, ControlsAreWrittenWhereThereAreSome) {
  RunResults results = two_rounds();
  results.controls = {{.name = "centralised", .metrics = results.metrics[1]}};
  const ordered_json controls = to_json(results)["fedtune"]["controls"];
  EXPECT_EQ(controls[0]["name"], "centralised");
  EXPECT_EQ(controls[0]["accuracy"], 0.75);
}

TEST(Results, ANumberThatIsNotFiniteBecomesNull) {
  RunResults results = two_rounds();
  results.metrics[1].loss = std::nan("");
  EXPECT_NE(to_json(results).dump().find(R"("loss":null)"), std::string::npos);
}

TEST(Results, AreWrittenInTheRunsFolderAndBesideIt) {
  const TemporaryFolder root;
  std::filesystem::create_directory(root / "run");
  write_results(two_rounds(), (root / "run").string() + "/");
  const std::string text = read_file(root.path() / "run" / "results.json");
  EXPECT_EQ(ordered_json::parse(text), to_json(two_rounds()));
  EXPECT_EQ(read_file(root / "run.json"), text);
}

TEST(Results, ANameWithDotsKeepsThem) {
  EXPECT_EQ(result_paths("results/v1.2").beside_it, "results/v1.2.json");
}

TEST(Results, AFolderThatIsMissingIsReported) {
  const TemporaryFolder root;
  EXPECT_THROW(write_results(two_rounds(), root.path() / "none" / "run"), Error);
}

}  // namespace
}  // namespace fedtune::report
