#include "fedtune/base/nearest.h"

#include <vector>

#include <gtest/gtest.h>

namespace fedtune {
namespace {

const std::vector<std::string> names{"client-lr", "client-ckpt", "seed"};

TEST(NearestName, FindsTheNameWithOneLetterWrong) {
  EXPECT_EQ(nearest_name("client-lrr", names), "client-lr");
}

TEST(NearestName, CountsSwappedNeighboursAsOneEdit) {
  EXPECT_EQ(nearest_name("sede", names), "seed");
}

TEST(NearestName, PrefersTheSmallerDistance) {
  EXPECT_EQ(nearest_name("client-ckp", names), "client-ckpt");
}

TEST(NearestName, TakesTheFirstOfEquals) {
  EXPECT_EQ(nearest_name("cat", std::vector<std::string>{"bat", "hat"}), "bat");
}

TEST(NearestName, IsEmptyWhenNothingIsNear) {
  EXPECT_EQ(nearest_name("teacher", names), "");
}

TEST(NearestName, IsEmptyWithoutCandidates) {
  EXPECT_EQ(nearest_name("seed", {}), "");
}

}  // namespace
}  // namespace fedtune
