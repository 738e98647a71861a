#include "fedtune/report/tensorboard.h"

#include <vector>

#include <gtest/gtest.h>

#include "fedtune/base/file.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/report/tf_record.h"

namespace fedtune::report {
namespace {

using nlohmann::ordered_json;

const std::vector<std::string> lines{
    R"({"event":"run","time":"2026-01-02T00:00:00.000Z"})",
    R"({"event":"start","time":"2026-01-02T00:00:01.500Z","round":0,"accuracy":0.5,"loss":null})",
    R"({"event":"client","time":"2026-01-02T00:00:02.000Z","round":1,"rank":1})",
    R"({"event":"round","time":"2026-01-02T00:00:03.000Z","round":1,"accuracy":0.75,"seconds":{"train":2.5},)"
    R"("contributions":[{"rank":1,"norm":1.0},{"rank":2,"norm":3.0}],"averaging_error":{"a":0.25}})"};

std::string joined(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += lines[i] + '\n';
  return text;
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  return files;
}

TEST(TensorBoard, HoldsTheScoresOfEachRoundAtItsTime) {
  const TemporaryFolder folder;
  TensorBoard board(folder / "tensorboard", "");
  for (const std::string& line : lines) board.add(ordered_json::parse(line));
  const double start = 1767312000.0;  // 2026-01-02, midnight
  const std::string expected =
      tf_record(encoded({.wall_time = start, .file_version = "brain.Event:2"})) +
      tf_record(encoded({.wall_time = start + 1.5, .step = 0, .scalars = {{"validation/accuracy", 0.5F}}})) +
      tf_record(encoded({.wall_time = start + 3,
                         .step = 1,
                         .scalars = {{"validation/accuracy", 0.75F},
                                     {"seconds/train", 2.5F},
                                     {"clients/contributions", 2.0F},
                                     {"clients/norm_mean", 2.0F},
                                     {"clients/norm_max", 3.0F},
                                     {"averaging_error/layer_mean", 0.25F},
                                     {"averaging_error/layer_max", 0.25F}}}));
  const auto files = files_in(folder / "tensorboard");
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].filename(), "events.out.tfevents.1767312000.fedtune");
  EXPECT_EQ(read_file(files[0]), expected);
}

TEST(TensorBoard, TakesOfADamagedEventWhatItCan) {
  const TemporaryFolder folder;
  TensorBoard(folder / "tensorboard",
              "{\"event\":7}\n{\"event\":\"round\",\"time\":[],\"round\":\"1\",\"contributions\":[1]}\n");
  const auto files = files_in(folder / "tensorboard");
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(read_file(files[0]),
            tf_record(encoded({.wall_time = 0, .file_version = "brain.Event:2"})) +
                tf_record(encoded({.wall_time = 0, .step = 0, .scalars = {{"clients/contributions", 1.0F}}})));
}

TEST(TensorBoard, IsCutBackAsTheEventsAreWhenARunGoesOn) {
  const TemporaryFolder folder;
  {
    TensorBoard board(folder.path(), "");
    for (const std::string& line : lines) board.add(ordered_json::parse(line));
  }
  const std::string whole = read_file(files_in(folder.path())[0]);
  TensorBoard board(folder.path(), joined(2));
  ASSERT_EQ(files_in(folder.path()).size(), 1u);
  EXPECT_LT(read_file(files_in(folder.path())[0]).size(), whole.size());
  board.add(ordered_json::parse(lines[3]));
  EXPECT_EQ(read_file(files_in(folder.path())[0]), whole);
}

}  // namespace
}  // namespace fedtune::report
