#include "fedtune/text/normalizer.h"

#include <gtest/gtest.h>

namespace fedtune::text {
namespace {

TEST(Normalizer, CleansControlsAndWhiteSpace) {
  EXPECT_EQ(normalize(std::string_view("a\0b\tc\x7f\n", 7), {}), "ab c ");  // NUL and DEL are gone
  EXPECT_EQ(normalize("a\u200bb\u3000c", {}), "ab c");
}

TEST(Normalizer, KeepsControlsWhenToldTo) {
  EXPECT_EQ(normalize("a\u200bb\x01", {.clean_text = false}), "a\u200bb\x01");
}

TEST(Normalizer, SetsIdeographsOff) {
  EXPECT_EQ(normalize("a\u5b57b", {}), "a \u5b57 b");
  EXPECT_EQ(normalize("a\u5b57b", {.handle_chinese_chars = false}), "a\u5b57b");
}

TEST(Normalizer, StripsAccentsWhenItLowerCases) {
  EXPECT_EQ(normalize("\u00c9t\u00e9", {}), "ete");
  EXPECT_EQ(normalize("\u00c9t\u00e9", {.lowercase = false}), "\u00c9t\u00e9");
}

TEST(Normalizer, AccentsCanBeChosenApartFromCase) {
  EXPECT_EQ(normalize("\u00c9t\u00e9", {.strip_accents = false}), "\u00e9t\u00e9");
  EXPECT_EQ(normalize("\u00c9t\u00e9", {.strip_accents = true, .lowercase = false}), "Ete");
}

TEST(Normalizer, AsciiAndUnicodePathsAgree) {
  std::string text;
  for (char c = 1; c > 0; ++c) text.push_back(c);
  for (const bool clean : {true, false}) {
    for (const bool lower : {true, false}) {
      const NormalizerOptions options{.clean_text = clean, .lowercase = lower};
      EXPECT_EQ(normalize(text, options) + "\u0444", normalize(text + "\u0444", options));
    }
  }
}

}  // namespace
}  // namespace fedtune::text
