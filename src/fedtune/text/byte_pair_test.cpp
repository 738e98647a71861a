#include "fedtune/text/byte_pair.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"

namespace fedtune::text {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

BytePairOptions options() {
  return {.vocabulary = {{"<unk>", 0}, {"a", 1}, {"b", 2}, {"c", 3}, {"ab", 4}, {"bc", 5}, {"abc", 6}, {"abab", 7}},
          .merges = {{"b", "c"}, {"a", "b"}, {"ab", "c"}, {"ab", "ab"}}};
}

std::vector<std::int32_t> byte_pairs(std::string_view word, BytePairOptions with = options()) {
  std::vector<std::int32_t> ids{9};
  BytePair(std::move(with)).append_word(word, ids);
  return ids;
}

TEST(BytePair, TheEarliestMergeComesFirst) {
  EXPECT_THAT(byte_pairs("abc"), ElementsAre(9, 1, 5));  // bc before ab, and then there is no a bc
  BytePairOptions turned = options();
  std::swap(turned.merges[0], turned.merges[1]);
  EXPECT_THAT(byte_pairs("abc", turned), ElementsAre(9, 6));
}

TEST(BytePair, OfEqualMergesTheLeftmostComesFirst) {
  BytePairOptions repeated{.vocabulary = {{"a", 1}, {"aa", 2}}, .merges = {{"a", "a"}}};
  EXPECT_THAT(byte_pairs("aaaaa", repeated), ElementsAre(9, 2, 2, 1));
}

TEST(BytePair, WhatWasMergedIsMergedFurther) {
  EXPECT_THAT(byte_pairs("abababc"), ElementsAre(9, 7, 1, 5));
}

TEST(BytePair, AMergeListedAgainComesLater) {
  BytePairOptions again = options();
  again.merges.push_back({"b", "c"});
  EXPECT_THAT(byte_pairs("abc", again), ElementsAre(9, 6));
}

TEST(BytePair, BytesOutsideTheVocabularyAreLeftOut) {
  EXPECT_THAT(byte_pairs("axb\u00e9"), ElementsAre(9, 4));
  EXPECT_THAT(byte_pairs("x"), ElementsAre(9));
}

TEST(BytePair, OrAreUnknownEach) {
  BytePairOptions with = options();
  with.unknown_token = "<unk>";
  EXPECT_THAT(byte_pairs("axb\u00e9", with), ElementsAre(9, 1, 0, 2, 0, 0));
}

TEST(BytePair, SpellsBytesByTheirCharacters) {
  const BytePairOptions bytes{
      .vocabulary = {{"\u0120", 1}, {"\u00c3", 2}, {"\u00a9", 3}, {"\u00c3\u00a9", 4}, {"\u0120\u00c3\u00a9", 5}},
      .merges = {{"\u00c3", "\u00a9"}, {"\u0120", "\u00c3\u00a9"}}};
  EXPECT_THAT(byte_pairs(" \u00e9", bytes), ElementsAre(9, 5));  // e with an acute accent is the bytes C3 A9
}

TEST(BytePair, ALongWordTakesNoQuadraticTime) {
  const std::string word(2'000'000, 'a');
  BytePairOptions repeated{.vocabulary = {{"a", 1}, {"aa", 2}, {"aaaa", 3}}, .merges = {{"a", "a"}, {"aa", "aa"}}};
  EXPECT_EQ(byte_pairs(word, repeated).size(), 500'001U);  // hours, were it quadratic
}

std::string refusal(const std::function<void(BytePairOptions&)>& change) {
  BytePairOptions changed = options();
  change(changed);
  try {
    const BytePair refused(std::move(changed));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "accepted";
}

TEST(BytePair, RefusesMergesOfTokensItLacks) {
  EXPECT_THAT(refusal([](auto& o) { o.merges.push_back({"a", "x"}); }), HasSubstr("lacks the merged token 'x'"));
  EXPECT_THAT(refusal([](auto& o) { o.merges.push_back({"c", "a"}); }), HasSubstr("lacks the merge's token 'ca'"));
}

TEST(BytePair, RefusesAnUnknownTokenItLacks) {
  EXPECT_THAT(refusal([](auto& o) { o.unknown_token = "[UNK]"; }), HasSubstr("lacks the unknown token '[UNK]'"));
}

}  // namespace
}  // namespace fedtune::text
