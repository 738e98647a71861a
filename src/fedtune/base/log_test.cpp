#include "fedtune/base/log.h"

#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"

namespace fedtune {
namespace {

using testing::ElementsAre;

class Log : public testing::Test {
 protected:
  Log() {
    set_log_writer([this](std::string_view line) { lines.emplace_back(line); });
  }
  ~Log() override {
    set_log_writer({});
    set_log_level(LogLevel::info);
  }
  std::vector<std::string> lines;
};

TEST_F(Log, LinesCarryTheirLevelExceptInfo) {
  log_error("{} of {}", 1, 2);
  log_warning("low");
  log_info("plain");
  EXPECT_THAT(lines, ElementsAre("error: 1 of 2", "warning: low", "plain"));
}

TEST_F(Log, DebugIsDroppedUnlessAskedFor) {
  log_debug("hidden");
  set_log_level(LogLevel::debug);
  log_debug("shown");
  EXPECT_THAT(lines, ElementsAre("debug: shown"));
}

TEST_F(Log, QuietLeavesErrorsOnly) {
  set_log_level(LogLevel::error);
  log_warning("dropped");
  log_error("kept");
  EXPECT_THAT(lines, ElementsAre("error: kept"));
}

TEST_F(Log, LinesOfManyThreadsArriveWhole) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int j = 0; j < 100; ++j) log_info("whole line");
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(lines, std::vector<std::string>(400, "whole line"));
}

TEST(LogToStderr, WritesOneLine) {
  testing::internal::CaptureStderr();
  log_warning("to stderr");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "warning: to stderr\n");
}

TEST(LogLevelName, IsReadBack) {
  EXPECT_EQ(log_level_from("error"), LogLevel::error);
  EXPECT_EQ(log_level_from("debug"), LogLevel::debug);
}

TEST(LogLevelName, AnUnknownOneNamesTheNearest) {
  try {
    log_level_from("warn1ng");
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), testing::HasSubstr("did you mean 'warning'?"));
  }
}

}  // namespace
}  // namespace fedtune
