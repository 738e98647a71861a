#include "fedtune/hub/download/progress.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/log.h"

namespace fedtune::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

struct HubProgress : testing::Test {
  HubProgress() {
    set_log_writer([this](std::string_view line) { lines.emplace_back(line); });
  }
  ~HubProgress() override { set_log_writer({}); }
  std::vector<std::string> lines;
};

TEST_F(HubProgress, CountsWhatIsThereAndTimesWhatArrived) {
  DownloadProgress progress("m");
  progress.expect(2, 4000);
  progress.begin_file("a", 0);
  progress.advance(1000);
  progress.end_file();
  progress.begin_file("b", 2000);  // from an earlier attempt
  progress.advance(2500);
  EXPECT_EQ(progress.line(2), "m  b  3.5 kB of 4.0 kB  88 %  750 B/s");
}

TEST_F(HubProgress, AServerThatBeginsAnewTakesWhatWasThereBack) {
  DownloadProgress progress("m");
  progress.expect(1, 4000);
  progress.begin_file("a", 2000);
  progress.advance(400);
  EXPECT_EQ(progress.line(0), "m  a  400 B of 4.0 kB  10 %");
}

TEST_F(HubProgress, AnUnknownSizeHasNoPercentage) {
  DownloadProgress progress("m");
  progress.expect(1, -1);
  progress.begin_file("a", 0);
  progress.advance(400);
  EXPECT_EQ(progress.line(0), "m  a  400 B");
}

TEST_F(HubProgress, ItsBeginningAndEndAreLinesOfTheLog) {
  DownloadProgress progress("m");
  progress.expect(1, 1234567);
  progress.begin_file("a", 0);
  progress.advance(1234567);
  progress.end_file();
  progress.finish();
  EXPECT_THAT(lines, ElementsAre("downloading m: 1 file, 1.2 MB", StartsWith("downloaded m: 1.2 MB in ")));
}

}  // namespace
}  // namespace fedtune::hub
