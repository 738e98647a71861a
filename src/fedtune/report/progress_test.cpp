#include "fedtune/report/progress.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/log.h"

namespace fedtune::report {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

ProgressState state_of(int round) {
  return {.phase = "training", .round = round, .rounds = 9, .loss = 0.5, .metric_name = "MCC"};
}

class ProgressTest : public testing::Test {
 protected:
  // What was written to the pipe's end so far.
  std::string written() {
    std::fflush(out.get());
    std::string text(static_cast<std::size_t>(std::ftell(out.get())), '\0');
    std::rewind(out.get());
    const std::size_t count = std::fread(text.data(), 1, text.size(), out.get());
    EXPECT_EQ(count, text.size());
    return text;
  }
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> out{std::tmpfile(), &std::fclose};
};

TEST_F(ProgressTest, APipeGetsOnePlainLinePerRound) {
  {
    Progress progress(ProgressMode::automatic, out.get());
    for (int round = 1; round <= 2; ++round) {
      progress.update(state_of(round));
      progress.round_done(state_of(round));
    }
  }
  EXPECT_EQ(written(), "round 1/9  loss 0.5000\nround 2/9  loss 0.5000\n");
}

TEST_F(ProgressTest, NoneWritesNothing) {
  {
    Progress progress(ProgressMode::none, out.get());
    progress.update(state_of(1));
    progress.round_done(state_of(1));
    progress.print_line("text");
  }
  EXPECT_EQ(written(), "");
}

TEST_F(ProgressTest, TheBarIsRedrawnInPlaceAndErasedAtTheEnd) {
  {
    Progress progress(ProgressMode::bar, out.get());
    progress.round_done(state_of(1));
    progress.round_done(state_of(2));
  }
  EXPECT_THAT(written(), AllOf(HasSubstr("\r\033[Kround 1/9"), HasSubstr("\r\033[Kround 2/9"), Not(HasSubstr("\n")),
                               EndsWith("\r\033[K")));
}

TEST_F(ProgressTest, TheBarIsDrawnAtMostTenTimesASecond) {
  const auto start = std::chrono::steady_clock::now();
  {
    Progress progress(ProgressMode::bar, out.get());
    for (int i = 0; i < 1000; ++i) progress.update(state_of(1));
  }
  const auto tenths = (std::chrono::steady_clock::now() - start) / std::chrono::milliseconds(100);
  const std::string text = written();
  EXPECT_LE(std::count(text.begin(), text.end(), '\r'), tenths + 2);  // the first, and the erasure at the end
  EXPECT_THAT(text, HasSubstr("round 1/9"));
}

TEST_F(ProgressTest, ALinePrintedMeanwhileStandsAboveTheBar) {
  {
    Progress progress(ProgressMode::bar, out.get());
    progress.round_done(state_of(1));
    progress.print_line("a note");
    EXPECT_THAT(written(), HasSubstr("\r\033[Ka note\n\r\033[Kround 1/9"));
  }
}

TEST_F(ProgressTest, ALoggedLineErasesTheBarAndDrawsItAgain) {
  testing::internal::CaptureStderr();
  {
    Progress progress(ProgressMode::bar, out.get());
    progress.round_done(state_of(1));
    const std::size_t before = written().size();
    log_warning("low disk");
    EXPECT_THAT(written().substr(before), AllOf(HasSubstr("\r\033[K\r\033[Kround 1/9")));
  }
  log_info("after");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "warning: low disk\nafter\n");
}

TEST_F(ProgressTest, NoColorIsRespected) {
  ::setenv("NO_COLOR", "1", 1);
  { Progress(ProgressMode::bar, out.get()).round_done(state_of(1)); }
  EXPECT_THAT(written(), Not(HasSubstr("\033[32m")));
  ::unsetenv("NO_COLOR");
}

TEST_F(ProgressTest, ManyThreadsMayReport) {
  {
    Progress progress(ProgressMode::bar, out.get());
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 100; ++j) {
          progress.update(state_of(1));
          progress.round_done(state_of(2));
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
  EXPECT_THAT(written(), EndsWith("\r\033[K"));
}

TEST(ProgressModeName, IsReadAndAnUnknownOneNamesTheNearest) {
  EXPECT_EQ(progress_mode_from("auto"), ProgressMode::automatic);
  EXPECT_EQ(progress_mode_from("none"), ProgressMode::none);
  try {
    progress_mode_from("plan");
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'plain'?"));
  }
}

}  // namespace
}  // namespace fedtune::report
