#include "fedtune/report/events.h"

#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "fedtune/base/disk.h"
#include "fedtune/base/file.h"
#include "fedtune/base/temporary_folder.h"

namespace fedtune::report {
namespace {

class EventLogTest : public testing::Test {
 protected:
  std::vector<nlohmann::json> events() const {
    std::vector<nlohmann::json> found;
    std::istringstream lines(read_file(path));
    for (std::string line; std::getline(lines, line);) found.push_back(nlohmann::json::parse(line));
    return found;
  }
  TemporaryFolder folder;
  std::filesystem::path path = folder / "events.jsonl";
};

TEST_F(EventLogTest, EachEventIsOneLineWithKindTimeAndFields) {
  EventLog log(path);
  log.write("round", {{"round", 3}, {"note", "two\nlines"}});
  log.write("end");
  ASSERT_EQ(events().size(), 2u);
  EXPECT_EQ(events()[0]["event"], "round");
  EXPECT_EQ(events()[0]["round"], 3);
  EXPECT_EQ(events()[0]["time"].get<std::string>().back(), 'Z');
  EXPECT_EQ(events()[1]["event"], "end");
}

TEST_F(EventLogTest, IsCutBackToALengthAndGoesOnFromThere) {
  std::int64_t checkpoint = 0;
  {
    EventLog log(path);
    log.write("round", {{"round", 1}});
    checkpoint = log.bytes();
    log.write("client", {{"rank", 1}});
  }
  cut_back_events(path, checkpoint);
  EventLog(path).write("resume");
  ASSERT_EQ(events().size(), 2u);
  EXPECT_EQ(events()[0]["round"], 1);
  EXPECT_EQ(events()[1]["event"], "resume");
}

// The disk, and how often it was waited for.
class CountedDisk final : public Disk {
 public:
  int sync(int descriptor) override {
    ++syncs;
    return Disk::sync(descriptor);
  }
  int syncs = 0;
};

TEST_F(EventLogTest, EventsOfManyClientsWaitForTheDiskTogether) {
  CountedDisk disk;
  const UseDisk use(disk);
  EventLog log(path);
  std::vector<std::string> told;
  log.on_written([&told](const nlohmann::ordered_json& event) { told.push_back(event["event"]); });
  for (int rank = 1; rank <= 10; ++rank) log.write_unsynced("client", {{"rank", rank}});
  EXPECT_EQ(disk.syncs, 0);
  EXPECT_EQ(events().size(), 10u);  // any other process sees them
  EXPECT_EQ(told.size(), 10u);
  log.write("round", {{"round", 1}});
  EXPECT_EQ(disk.syncs, 1);
  EXPECT_EQ(events().size(), 11u);
}

TEST_F(EventLogTest, TextThatIsNotUtf8DoesNotStopTheRun) {
  EventLog(path).write("refused", {{"reason", "bad \xff byte"}});
  EXPECT_EQ(events().size(), 1u);
}

TEST_F(EventLogTest, EventsOfManyThreadsAreWholeLines) {
  EventLog log(path);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&log] {
      for (int j = 0; j < 20; ++j) log.write("step", {{"loss", 0.5}});
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(events().size(), 80u);
}

}  // namespace
}  // namespace fedtune::report
