#include "fedtune/base/profile.h"

#include <algorithm>
#include <numeric>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/clock.h"

namespace fedtune {
namespace {

using ::testing::IsEmpty;

void work_for(double seconds) {
  const Stopwatch watch;
  while (watch.seconds() < seconds) continue;
}

const WorkShare* share_of(const StepProfile& step, Work work) {
  const auto found = std::ranges::find(step.work, work, &WorkShare::work);
  return found == step.work.end() ? nullptr : &*found;
}

TEST(Profile, CountsNothingOutsideAStep) {
  start_profile();
  {
    ProfileScope scope(Work::attention);
    scope.count(5.0);
  }
  EXPECT_THAT(profile(), IsEmpty());
}

TEST(Profile, GivesEachScopeWhatNoScopeWithinItTook) {
  start_profile();
  {
    const ProfiledStep step(StepKind::client);
    work_for(0.002);
    const ProfileScope outer(Work::adapters);
    work_for(0.004);
    const ProfileScope inner(Work::products);
    work_for(0.02);
  }
  const std::vector<StepProfile> counted = profile();
  ASSERT_EQ(counted.size(), 1u);
  EXPECT_EQ(counted[0].kind, StepKind::client);
  EXPECT_EQ(counted[0].steps, 1);
  ASSERT_EQ(counted[0].work.size(), 3u);
  EXPECT_EQ(counted[0].work[0].work, Work::products);
  EXPECT_GE(share_of(counted[0], Work::products)->seconds, 0.02);
  EXPECT_GE(share_of(counted[0], Work::adapters)->seconds, 0.004);
  EXPECT_GE(share_of(counted[0], Work::rest)->seconds, 0.002);
  const double sum = std::accumulate(counted[0].work.begin(), counted[0].work.end(), 0.0,
                                     [](double s, const WorkShare& share) { return s + share.seconds; });
  EXPECT_DOUBLE_EQ(sum, counted[0].seconds);
}

TEST(Profile, AveragesOverStepsOfAllThreadsAndKeepsKindsApart) {
  start_profile();
  const auto take_steps = [] {
    for (int i = 0; i < 10; ++i) {
      const ProfiledStep step(StepKind::client);
      ProfileScope scope(Work::products);
      scope.count(100.0);
    }
  };
  std::thread other(take_steps);
  take_steps();
  other.join();
  {
    const ProfiledStep step(StepKind::teacher);
    const ProfileScope scope(Work::loss);
  }
  const std::vector<StepProfile> counted = profile();
  ASSERT_EQ(counted.size(), 2u);
  EXPECT_EQ(counted[0].steps, 20);
  EXPECT_DOUBLE_EQ(share_of(counted[0], Work::products)->operations, 100.0);
  EXPECT_EQ(counted[1].kind, StepKind::teacher);
  EXPECT_EQ(share_of(counted[1], Work::products), nullptr);
}

TEST(Profile, StartsAnew) {
  start_profile();
  { const ProfiledStep step(StepKind::distillation); }
  start_profile();
  EXPECT_THAT(profile(), IsEmpty());
}

TEST(Profile, NamesWhatItCounts) {
  EXPECT_EQ(name_of(StepKind::distillation), "distillation");
  EXPECT_EQ(name_of(Work::products), "matrix products");
  EXPECT_EQ(name_of(Work::rest), "rest");
}

}  // namespace
}  // namespace fedtune
