#include "fedtune/text/bert_pieces.h"

#include <array>

#include "fedtune/text/unicode.h"

namespace fedtune::text {
namespace {

enum class WordPart : std::uint8_t { word, space, punctuation };

WordPart part_of(char32_t c) {
  if (is_white_space(c)) return WordPart::space;
  return is_punctuation(c) ? WordPart::punctuation : WordPart::word;
}

// Calls `word` for each run of word characters and each single punctuation character of normalised text.
template <typename Word>
void for_each_word(std::string_view text, Word&& word) {
  static const std::array<WordPart, 128> parts = of_ascii(part_of);
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t c = next_code_point(text, at);
    const WordPart part = c < 128 ? parts[c] : part_of(c);
    if (part == WordPart::word) continue;
    if (begin < start) word(text.substr(begin, start - begin));
    if (part == WordPart::punctuation) word(text.substr(start, at - start));
    begin = at;
  }
  if (begin < text.size()) word(text.substr(begin));
}

class BertPieces : public Pieces {
 public:
  explicit BertPieces(const BertOptions& options) : normalizer_(options.normalizer), word_piece_(options.word_piece) {}

  std::string normalized(std::string_view text) const override { return normalize(text, normalizer_); }
  void append(std::string_view text, std::vector<std::int32_t>& ids) const override {
    for_each_word(text, [&](std::string_view word) { word_piece_.append_word(word, ids); });
  }
  const Vocabulary& vocabulary() const override { return word_piece_.vocabulary(); }

 private:
  NormalizerOptions normalizer_;
  WordPiece word_piece_;
};

}  // namespace

std::unique_ptr<const Pieces> make_pieces(const BertOptions& options) {
  return std::make_unique<const BertPieces>(options);
}

}  // namespace fedtune::text
