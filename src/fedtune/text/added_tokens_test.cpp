#include "fedtune/text/added_tokens.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fedtune::text {
namespace {

using ::testing::ElementsAre;

// The parts of a text, tokens in angle brackets.
std::vector<std::string> parts(std::vector<AddedToken> tokens, std::string_view text) {
  std::vector<std::string> result;
  for (const TextPart& part : AddedTokens(std::move(tokens)).split(text)) {
    result.push_back(part.token == nullptr ? std::string(part.text) : fmt::format("<{}>", part.text));
  }
  return result;
}

TEST(AddedTokens, CutTheTextWhereTheyStand) {
  EXPECT_THAT(parts({{.content = "[SEP]"}}, "a [SEP][SEP]b"), ElementsAre("a ", "<[SEP]>", "<[SEP]>", "b"));
}

TEST(AddedTokens, PreferTheLongestOfThoseThatBeginTogether) {
  EXPECT_THAT(parts({{.content = "ab"}, {.content = "abc"}}, "xabcab"), ElementsAre("x", "<abc>", "<ab>"));
}

TEST(AddedTokens, PreferTheLeftmost) {
  EXPECT_THAT(parts({{.content = "bcd"}, {.content = "ab"}}, "abcd"), ElementsAre("<ab>", "cd"));
}

TEST(AddedTokens, ASingleWordStandsBetweenOtherCharacters) {
  EXPECT_THAT(parts({{.content = "ab", .single_word = true}}, "ab,xab ab\u00e9 ab"),
              ElementsAre("<ab>", ",xab ab\u00e9 ", "<ab>"));
}

TEST(AddedTokens, TakeWhiteSpaceWithThemWhenTheySaySo) {
  EXPECT_THAT(parts({{.content = "T", .lstrip = true}}, "a \u3000T b"), ElementsAre("a", "< \u3000T>", " b"));
  EXPECT_THAT(parts({{.content = "T", .rstrip = true}}, "a T\t b"), ElementsAre("a ", "<T\t >", "b"));
}

TEST(AddedTokens, NoTokensLeaveTheTextWhole) {
  EXPECT_THAT(parts({}, "text"), ElementsAre("text"));
}

TEST(AddedTokens, AnEmptyTextHasNoParts) {
  EXPECT_THAT(parts({{.content = "T"}}, ""), ElementsAre());
}

}  // namespace
}  // namespace fedtune::text
