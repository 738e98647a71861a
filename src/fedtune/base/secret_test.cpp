#include "fedtune/base/secret.h"

#include <set>

#include <gtest/gtest.h>

namespace fedtune {
namespace {

TEST(Secret, HasTheLengthAskedForAndIsNotRepeated) {
  std::set<std::string> drawn;
  for (int i = 0; i < 100; ++i) drawn.insert(random_bytes(16));
  EXPECT_EQ(drawn.size(), 100u);
  EXPECT_EQ(drawn.begin()->size(), 16u);
}

}  // namespace
}  // namespace fedtune
