#include "fedtune/base/flush_denormals.h"

#include <limits>
#include <thread>

#include <gtest/gtest.h>

namespace fedtune {
namespace {

float half_of_the_least_normal() {
  volatile float value = std::numeric_limits<float>::min();
  value = value * 0.5f;
  return value;
}

TEST(FlushDenormals, MakesSubnormalResultsZeroWhileItLives) {
  EXPECT_GT(half_of_the_least_normal(), 0.0f);
  {
    const FlushDenormals guard;
    EXPECT_EQ(half_of_the_least_normal(), 0.0f);
  }
  EXPECT_GT(half_of_the_least_normal(), 0.0f);
}

TEST(FlushDenormals, LeavesOtherThreadsAlone) {
  float elsewhere = 0.0f;
  std::thread thread([&] {
    // The new thread inherits the state of its creator, so it is created before the guard.
    elsewhere = half_of_the_least_normal();
  });
  {
    const FlushDenormals guard;
    thread.join();
  }
  EXPECT_GT(elsewhere, 0.0f);
}

}  // namespace
}  // namespace fedtune
