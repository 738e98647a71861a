#include "fedtune/hub/download/retry.h"

#include <csignal>

#include <gtest/gtest.h>

#include "fedtune/base/interrupt.h"
#include "fedtune/base/log.h"

namespace fedtune::hub {
namespace {

TEST(HubRetry, PausesDoubleUnlessTheServerAsksForAnother) {
  EXPECT_EQ(pause_before(2, {}), 0.5);
  EXPECT_EQ(pause_before(3, {}), 1.0);
  EXPECT_EQ(pause_before(5, {}), 4.0);
  EXPECT_EQ(pause_before(2, 7.0), 7.0);
  EXPECT_EQ(pause_before(2, 1e9), 120.0);
}

TEST(HubRetry, OnlyTroubleThatPassesIsTriedAgain) {
  for (const int status : {408, 429, 500, 502, 503, 504}) EXPECT_TRUE(may_pass(status)) << status;
  for (const int status : {200, 401, 403, 404, 410, 416, 501}) EXPECT_FALSE(may_pass(status)) << status;
}

TEST(HubRetry, RetryAfterIsReadInSeconds) {
  EXPECT_EQ(retry_after_seconds("3"), 3.0);
  for (const char* text : {"", "-1", "3s", "Wed, 21 Oct 2026 07:28:00 GMT"}) {
    EXPECT_EQ(retry_after_seconds(text), std::nullopt) << text;
  }
}

TEST(HubRetry, TriesAreCountedAnewAfterProgress) {
  set_log_writer([](std::string_view) {});
  Retry retry;
  for (int i = 1; i < most_tries; ++i) EXPECT_TRUE(retry.wait("test", 0.0));
  EXPECT_FALSE(retry.wait("test", 0.0));
  retry.progress();
  EXPECT_TRUE(retry.wait("test", 0.0));
  set_log_writer({});
}

TEST(HubRetry, AnInterruptEndsThePause) {
  set_log_writer([](std::string_view) {});
  set_interrupt_signal(SIGTERM);
  EXPECT_THROW(Retry().wait("test", 60.0), Interrupted);
  set_interrupt_signal(0);
  set_log_writer({});
}

}  // namespace
}  // namespace fedtune::hub
