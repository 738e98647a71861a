#include "fedtune/cli/toml_keys.h"

#include <string>

#include <gtest/gtest.h>

namespace fedtune::cli {
namespace {

TEST(LongestKey, CountsThePartsOfKeysAndTables) {
  EXPECT_EQ(longest_key(""), 1);
  EXPECT_EQ(longest_key("seed = 1\nclient-lr = 5e-4\n"), 1);
  EXPECT_EQ(longest_key("a.b . 'c' = 1\nd = 2\n"), 3);
  EXPECT_EQ(longest_key("[a.b.\"c.d\".e]\n"), 4);
  EXPECT_EQ(longest_key("a = {b.c.d = [{e.f.g.h = 1}]}\n"), 4);
}

TEST(LongestKey, LeavesStringsAndCommentsAlone) {
  EXPECT_EQ(longest_key("path = \"a.b.c.d \\\" .e\"  # f.g.h.i\n"), 1);
  EXPECT_EQ(longest_key("path = '''a.b\n'c.d'.e'''\n"), 1);
  EXPECT_EQ(longest_key("path = \"a.b.c\nd.e = 1"), 2);  // no end: the line's is taken
}

TEST(LongestKey, CountsOnToTheEndOfAVeryLongOne) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "a.";
  EXPECT_EQ(longest_key(text + "a = 1"), 100'001);
}

}  // namespace
}  // namespace fedtune::cli
