#include "fedtune/base/plain_text.h"

#include <gtest/gtest.h>

namespace fedtune {
namespace {

TEST(PlainText, LeavesWordsAsTheyAre) {
  EXPECT_EQ(plain_text("client 3: tensor 'a' \xC3\xA9 \xE4\xB8\xAD \xF0\x9F\x99\x82"),
            "client 3: tensor 'a' \xC3\xA9 \xE4\xB8\xAD \xF0\x9F\x99\x82");
  EXPECT_EQ(plain_text(""), "");
}

TEST(PlainText, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(plain_text("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(plain_text("\xC3"), "\xEF\xBF\xBD");                              // cut short
  EXPECT_EQ(plain_text("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");              // overlong
  EXPECT_EQ(plain_text("\xED\xA0\x80").find('\xED'), std::string::npos);      // a surrogate
  EXPECT_EQ(plain_text("\xF4\x90\x80\x80").find('\xF4'), std::string::npos);  // beyond U+10FFFF
}

TEST(PlainText, IsOneLine) {
  EXPECT_EQ(plain_text("a\nb\r\x1B[31m\x7F"), "a b  [31m ");
}

TEST(PlainText, IsCutBetweenCharacters) {
  EXPECT_EQ(plain_text("abcdef", 3), "abc...");
  EXPECT_EQ(plain_text("ab\xC3\xA9", 3), "ab...");
  EXPECT_EQ(plain_text("abc", 3), "abc");
}

}  // namespace
}  // namespace fedtune
