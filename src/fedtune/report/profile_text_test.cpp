#include "fedtune/report/profile_text.h"

#include <gtest/gtest.h>

namespace fedtune::report {
namespace {

TEST(ProfileText, ShowsSharesTimesAndSpeeds) {
  const std::vector<StepProfile> steps{
      {.kind = StepKind::client,
       .steps = 12,
       .seconds = 0.25,
       .work = {{Work::products, 0.2, 2e10}, {Work::rest, 0.05, 0.0}}},
  };
  EXPECT_EQ(profile_text(steps),
            "client steps: 12, 250.0 ms each\n"
            "  matrix products   80.0 %    200.000 ms  100.0 GF/s\n"
            "  rest              20.0 %     50.000 ms\n");
}

TEST(ProfileText, IsEmptyWithoutSteps) {
  EXPECT_EQ(profile_text({}), "");
}

}  // namespace
}  // namespace fedtune::report
