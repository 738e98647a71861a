#include "fedtune/train/schedule.h"

#include <gtest/gtest.h>

namespace fedtune::train {
namespace {

TEST(Schedule, ConstantKeepsTheRate) {
  EXPECT_EQ(learning_rate(Schedule::constant, 0.5, {.step = 9, .total = 10}), 0.5);
}

TEST(Schedule, LinearDecayStartsAtThePeakAndEndsOneStepAboveZero) {
  EXPECT_DOUBLE_EQ(learning_rate(Schedule::linear_decay, 0.5, {.step = 0, .total = 10}), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate(Schedule::linear_decay, 0.5, {.step = 5, .total = 10}), 0.25);
  EXPECT_DOUBLE_EQ(learning_rate(Schedule::linear_decay, 0.5, {.step = 9, .total = 10}), 0.05);
}

}  // namespace
}  // namespace fedtune::train
