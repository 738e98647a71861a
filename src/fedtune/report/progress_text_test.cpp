#include "fedtune/report/progress_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fedtune::report {
namespace {

using testing::HasSubstr;
using testing::Not;

ProgressState full_state() {
  return {.phase = "training",
          .round = 3,
          .rounds = 10,
          .clients_done = 2,
          .clients = 4,
          .sentences_per_second = 812.4,
          .loss = 0.43124,
          .metric_name = "MCC",
          .metric = 0.5127,
          .seconds_left = 80.0};
}

TEST(PlainProgress, IsOneLineWithEverythingKnown) {
  EXPECT_EQ(render_plain(full_state()),
            "round 3/10  2/4 clients  812 sentences/s  loss 0.4312  MCC 0.513  1m 20s left");
}

TEST(PlainProgress, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(render_plain({.phase = "", .round = 1, .rounds = 10, .metric_name = "MCC"}), "round 1/10");
}

TEST(BarProgress, ShowsEverythingOnAWideTerminal) {
  EXPECT_EQ(render_bar(full_state(), {.width = 200}),
            "round 3/10 [######------------------]  training  2/4 clients  812 sentences/s  loss 0.4312  MCC 0.513  "
            "1m 20s left");
}

TEST(BarProgress, NeverReachesTheLastColumn) {
  for (int width = 0; width < 160; ++width) {
    EXPECT_LT(static_cast<int>(render_bar(full_state(), {.width = width}).size()), std::max(width, 1)) << width;
  }
}

TEST(BarProgress, ANarrowTerminalKeepsWhatMattersMost) {
  const std::string line = render_bar(full_state(), {.width = 40});
  EXPECT_EQ(line, "round 3/10  MCC 0.513  1m 20s left");
}

TEST(BarProgress, HasNoEscapeCodesUnlessColorIsAllowed) {
  EXPECT_THAT(render_bar(full_state(), {.width = 200}), Not(HasSubstr("\033")));
  EXPECT_THAT(render_bar(full_state(), {.width = 200, .color = true}), HasSubstr("\033[32m"));
}

TEST(BarProgress, FillsFromEmptyToFull) {
  ProgressState state{.phase = "", .round = 0, .rounds = 2, .metric_name = ""};
  EXPECT_THAT(render_bar(state, {.width = 60}), HasSubstr("[------------------------]"));
  state = {.phase = "", .round = 2, .rounds = 2, .clients_done = 1, .clients = 2, .metric_name = ""};
  EXPECT_THAT(render_bar(state, {.width = 60}), HasSubstr("[##################------]"));
  state.clients_done = 2;
  EXPECT_THAT(render_bar(state, {.width = 60}), HasSubstr("[########################]"));
}

TEST(DurationText, ReadsNaturally) {
  EXPECT_EQ(duration_text(0.2), "0s");
  EXPECT_EQ(duration_text(48.4), "48s");
  EXPECT_EQ(duration_text(59.7), "1m 00s");
  EXPECT_EQ(duration_text(80.0), "1m 20s");
  EXPECT_EQ(duration_text(7500.0), "2h 05m");
  EXPECT_EQ(duration_text(-1.0), "unknown");
  EXPECT_EQ(duration_text(1.0 / 0.0), "unknown");
}

TEST(ProgressText, CountsEpochsWhereThereAreNoClients) {
  const ProgressState state{.round = 2, .rounds = 2, .unit = "epoch", .part = 0.5};
  EXPECT_EQ(render_plain(state), "epoch 2/2");
  EXPECT_THAT(render_bar(state, {.width = 60}), HasSubstr("[##################------]"));
}

}  // namespace
}  // namespace fedtune::report
