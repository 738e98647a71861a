#include "fedtune/base/nearest.h"

#include <gtest/gtest.h>

#include <array>

namespace fedtune {
namespace {

constexpr std::array<std::string_view, 3> names{"client-lr", "client-ckpt", "seed"};

TEST(Nearest, FindsTheNameWithOneLetterWrong) { EXPECT_EQ(nearest("client-lrr", names), "client-lr"); }

TEST(Nearest, PrefersTheSmallerDistance) { EXPECT_EQ(nearest("client-ckp", names), "client-ckpt"); }

TEST(Nearest, IsEmptyWhenNothingIsNear) { EXPECT_EQ(nearest("--", names), ""); }

TEST(Nearest, IsEmptyWithoutCandidates) { EXPECT_EQ(nearest("seed", {}), ""); }

}  // namespace
}  // namespace fedtune
