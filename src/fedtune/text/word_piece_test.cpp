#include "fedtune/text/word_piece.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"

namespace fedtune::text {
namespace {

using ::testing::ElementsAre;

std::vector<std::int32_t> word_pieces(std::string_view word, std::int64_t max_characters = 100) {
  const WordPiece model(
      {.vocabulary =
           {{"[UNK]", 0}, {"un", 1}, {"##able", 2}, {"unable", 3}, {"##a", 4}, {"\u00e9", 5}, {"##\u00e9", 6}},
       .max_characters_per_word = max_characters});
  std::vector<std::int32_t> ids;
  model.append_word(word, ids);
  return ids;
}

TEST(WordPiece, PrefersTheLongestPiece) {
  EXPECT_THAT(word_pieces("unable"), ElementsAre(3));
}

TEST(WordPiece, GoesOnWithMarkedPieces) {
  EXPECT_THAT(word_pieces("unaable"), ElementsAre(1, 4, 2));
}

TEST(WordPiece, AWordItCannotSpellIsOneUnknown) {
  EXPECT_THAT(word_pieces("unablex"), ElementsAre(0));
}

TEST(WordPiece, AMarkedPieceDoesNotBeginAWord) {
  EXPECT_THAT(word_pieces("able"), ElementsAre(0));
}

TEST(WordPiece, CutsBetweenCharactersNotBytes) {
  EXPECT_THAT(word_pieces("\u00e9\u00e9"), ElementsAre(5, 6));
}

TEST(WordPiece, AWordOfTooManyCharactersIsUnknown) {
  EXPECT_THAT(word_pieces("\u00e9\u00e9", 2), ElementsAre(5, 6));  // four bytes, two characters
  EXPECT_THAT(word_pieces("\u00e9\u00e9\u00e9", 2), ElementsAre(0));
}

TEST(WordPiece, RefusesAVocabularyWithoutTheUnknownToken) {
  EXPECT_THROW(WordPiece({.vocabulary = {{"a", 0}}}), Error);
}

}  // namespace
}  // namespace fedtune::text
