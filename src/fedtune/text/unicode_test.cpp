#include "fedtune/text/unicode.h"

#include <gtest/gtest.h>

namespace fedtune::text {
namespace {

TEST(Utf8, AcceptsEveryLengthOfSequence) {
  EXPECT_FALSE(find_invalid_utf8("a\u00e9\u5b57\U0001f600").has_value());
}

TEST(Utf8, FindsTheFirstInvalidByte) {
  EXPECT_EQ(find_invalid_utf8("ab\xffz\xff"), 2U);
}

TEST(Utf8, RefusesOverlongForms) {
  EXPECT_EQ(find_invalid_utf8("\xc0\xaf"), 0U);
}

TEST(Utf8, RefusesSurrogates) {
  EXPECT_EQ(find_invalid_utf8("x\xed\xa0\x80"), 1U);
}

TEST(Utf8, RefusesATruncatedSequence) {
  EXPECT_EQ(find_invalid_utf8("caf\xc3"), 3U);
}

TEST(Utf8, DecodesWhatItEncodes) {
  const std::u32string text = U"a\u00e9\u5b57\U0001f600\U0010ffff";
  EXPECT_EQ(decode_utf8(encode_utf8(text)), text);
}

TEST(CharacterClass, ControlsAreControlFormatAndPrivateUse) {
  for (const char32_t c : {U'\0', U'\x1b', U'\x7f', U'\u0085', U'\u00ad', U'\u200d', U'\ufeff', U'\ue000', U'\ufffd'}) {
    EXPECT_TRUE(is_control(c)) << std::hex << static_cast<unsigned>(c);
  }
  for (const char32_t c : {U'\t', U'\n', U'\r', U' ', U'a', U'\u0378'}) {
    EXPECT_FALSE(is_control(c)) << std::hex << static_cast<unsigned>(c);
  }
}

TEST(CharacterClass, AsciiSymbolsArePunctuationOthersAreNot) {
  EXPECT_TRUE(is_punctuation(U'$'));
  EXPECT_TRUE(is_punctuation(U'~'));
  EXPECT_TRUE(is_punctuation(U'\u2014'));
  EXPECT_FALSE(is_punctuation(U'\u20ac'));
  EXPECT_FALSE(is_punctuation(U'a'));
}

TEST(CharacterClass, CategoriesAreThoseOfUnicode8) {
  EXPECT_TRUE(is_nonspacing_mark(0x1734));   // a spacing mark since Unicode 14
  EXPECT_FALSE(is_nonspacing_mark(0x1885));  // a mark since Unicode 9
  EXPECT_TRUE(is_punctuation(0x166D));       // a symbol since Unicode 12
  EXPECT_FALSE(is_nonspacing_mark(0x8D3));   // came with Unicode 11
  EXPECT_FALSE(is_punctuation(0x2E4F));      // came with Unicode 12
}

TEST(CharacterClass, LettersAndNumbersAreThoseOfUnicode16) {
  EXPECT_TRUE(is_letter(U'\u00e9'));
  EXPECT_TRUE(is_letter(U'\u5b57'));
  EXPECT_FALSE(is_letter(U'\u0301'));
  EXPECT_TRUE(is_letter(0x10D50));   // Garay, Unicode 16
  EXPECT_FALSE(is_letter(0x16EA0));  // Beria Erfe, Unicode 17
  EXPECT_TRUE(is_number(U'\u00bd'));
  EXPECT_TRUE(is_number(U'\u2167'));
  EXPECT_TRUE(is_number(0x10D49));  // Garay
  EXPECT_FALSE(is_number(0x10D4A));
  EXPECT_FALSE(is_number(U'a'));
}

TEST(CharacterClass, KanaAndHangulAreNotChinese) {
  EXPECT_TRUE(is_chinese(U'\u5b57'));
  EXPECT_FALSE(is_chinese(U'\u3042'));
  EXPECT_FALSE(is_chinese(U'\ud55c'));
}

std::u32string lower(char32_t c) {
  std::u32string text;
  append_lower(text, c);
  return text;
}

TEST(LowerCase, MapsCharacterByCharacter) {
  EXPECT_EQ(lower(U'Q'), U"q");
  EXPECT_EQ(lower(U'\u03a3'), U"\u03c3");  // no final sigma
  EXPECT_EQ(lower(U'\u0130'), U"i\u0307");
  EXPECT_EQ(lower(0x10D50), U"\U00010d70");  // Garay, Unicode 16
}

TEST(Decomposition, OrdersMarksByTheirClass) {
  EXPECT_EQ(decompose(U"q\u0307\u0323"), U"q\u0323\u0307");
  EXPECT_EQ(decompose(U"q\u0301\u0307"), U"q\u0301\u0307");  // one class: as they stood
}

TEST(Decomposition, TakesHangulApart) {
  EXPECT_EQ(decompose(U"\uac01"), U"\u1100\u1161\u11a8");
}

TEST(Decomposition, KnowsNothingNewerThanUnicode9) {
  EXPECT_EQ(decompose(U"\U00011938"), U"\U00011938");
  EXPECT_EQ(decompose(U"a\u08d3\u0334"), U"a\u08d3\u0334");
}

}  // namespace
}  // namespace fedtune::text
