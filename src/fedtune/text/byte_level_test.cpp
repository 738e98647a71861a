#include "fedtune/text/byte_level.h"

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fedtune::text {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> all;
  while (!text.empty()) {
    all.emplace_back(text.substr(0, first_word(text)));
    text.remove_prefix(all.back().size());
  }
  return all;
}

TEST(ByteLevel, ABlankGoesWithTheWordBehindIt) {
  EXPECT_THAT(words("the film, 1990!"), ElementsAre("the", " film", ",", " 1990", "!"));
  EXPECT_THAT(words("a  b"), ElementsAre("a", " ", " b"));
}

TEST(ByteLevel, OtherWhiteSpaceStandsAlone) {
  EXPECT_THAT(words("a\tb"), ElementsAre("a", "\t", "b"));
  EXPECT_THAT(words("a\n\n\tb"), ElementsAre("a", "\n\n", "\t", "b"));
  EXPECT_THAT(words("a\u3000 b"), ElementsAre("a", "\u3000", " b"));
}

TEST(ByteLevel, WhiteSpaceAtTheEndStaysTogether) {
  EXPECT_THAT(words("a \n "), ElementsAre("a", " \n "));
  EXPECT_THAT(words(" "), ElementsAre(" "));
}

TEST(ByteLevel, LettersNumbersAndOthersPart) {
  EXPECT_THAT(words("ab12\u00bd__"), ElementsAre("ab", "12\u00bd", "__"));
  EXPECT_THAT(words("\u65e5\u672c\u3001\u0663"), ElementsAre("\u65e5\u672c", "\u3001", "\u0663"));
}

TEST(ByteLevel, AMarkIsNoLetter) {
  EXPECT_THAT(words("e\u0301t"), ElementsAre("e", "\u0301", "t"));
}

TEST(ByteLevel, ContractionsPartWhereAWordBegins) {
  EXPECT_THAT(words("they'll don't I'm"), ElementsAre("they", "'ll", " don", "'t", " I", "'m"));
  EXPECT_THAT(words("'re've'd's"), ElementsAre("'re", "'ve", "'d", "'s"));
}

TEST(ByteLevel, NoContractionInCapitalsOrBehindABlank) {
  EXPECT_THAT(words("I'M"), ElementsAre("I", "'", "M"));
  EXPECT_THAT(words("a 's"), ElementsAre("a", " '", "s"));
  EXPECT_THAT(words("!'s"), ElementsAre("!'", "s"));
}

TEST(ByteLevel, EveryByteHasACharacterOfItsOwn) {
  const auto characters = byte_characters();
  EXPECT_EQ(std::set<char32_t>(characters.begin(), characters.end()).size(), 256U);
  EXPECT_EQ(characters['a'], U'a');
  EXPECT_EQ(characters[' '], U'\u0120');
  EXPECT_EQ(characters['\n'], U'\u010a');
  EXPECT_EQ(characters[0xAD], U'\u0143');  // the last that is not itself
  EXPECT_EQ(characters[0xFF], U'\u00ff');
}

}  // namespace
}  // namespace fedtune::text
