#include "fedtune/base/clock.h"

#include <cstdlib>
#include <ctime>
#include <thread>

#include <gtest/gtest.h>

namespace fedtune {
namespace {

using std::chrono::milliseconds;

// 2001-09-09 01:46:40 UTC.
const WallTime billion = WallTime(std::chrono::seconds(1'000'000'000));

TEST(IsoTime, IsUtcWithMilliseconds) {
  EXPECT_EQ(iso_time(billion + milliseconds(7)), "2001-09-09T01:46:40.007Z");
}

TEST(IsoTime, RoundsDownBeforeTheEpoch) {
  EXPECT_EQ(iso_time(WallTime(milliseconds(-1))), "1969-12-31T23:59:59.999Z");
}

TEST(FileTime, IsLocalAndFitForAFileName) {
  ::setenv("TZ", "UTC-2", 1);
  ::tzset();
  EXPECT_EQ(file_time(billion), "2001-09-09_03-46-40");
  ::unsetenv("TZ");
  ::tzset();
}

TEST(Stopwatch, MeasuresElapsedSeconds) {
  const Stopwatch watch;
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_GE(watch.seconds(), 0.02);
  EXPECT_LT(watch.seconds(), 20.0);
}

}  // namespace
}  // namespace fedtune
