// WordPiece (Schuster and Nakajima 2012; Devlin et al. 2019): a word as the longest pieces that a vocabulary offers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fedtune::text {

struct WordPieceOptions {
  std::map<std::string, std::int32_t> vocabulary = {};
  std::string unknown_token = "[UNK]";
  std::string continuing_prefix = "##";        // marks pieces that go on within a word
  std::int64_t max_characters_per_word = 100;  // a longer word is unknown
};

// Immutable; safe to use from several threads.
class WordPiece {
 public:
  // Throws Error(input) when the unknown token is not in the vocabulary.
  explicit WordPiece(WordPieceOptions options);
  WordPiece(const WordPiece&) = delete;
  WordPiece& operator=(const WordPiece&) = delete;

  // Appends the ids of the word's pieces, or the unknown id alone where the vocabulary cannot spell it. Valid UTF-8.
  void append_word(std::string_view word, std::vector<std::int32_t>& ids) const;

  const std::map<std::string, std::int32_t>& vocabulary() const { return options_.vocabulary; }

 private:
  using Pieces = std::unordered_map<std::string_view, std::int32_t>;

  WordPieceOptions options_;  // owns the texts that the pieces view
  Pieces first_;              // every token, as a word may begin
  Pieces next_;               // tokens with the prefix, without it
  std::size_t longest_ = 0;   // bytes of the longest token
  std::int32_t unknown_id_ = 0;
};

}  // namespace fedtune::text
