#include "fedtune/text/word_piece.h"

#include <algorithm>

#include "fedtune/base/error.h"

namespace fedtune::text {
namespace {

bool is_continuation_byte(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// The longest prefix of `text` that is a piece: its length in bytes, or 0.
template <typename Pieces>
std::size_t longest_piece(std::string_view text, const Pieces& pieces, std::size_t limit, std::int32_t& id) {
  for (std::size_t end = std::min(text.size(), limit); end > 0; --end) {
    if (end < text.size() && is_continuation_byte(text[end])) continue;
    const auto found = pieces.find(text.substr(0, end));
    if (found == pieces.end()) continue;
    id = found->second;
    return end;
  }
  return 0;
}

}  // namespace

WordPiece::WordPiece(WordPieceOptions options) : options_(std::move(options)) {
  const std::string& prefix = options_.continuing_prefix;
  first_.reserve(options_.vocabulary.size());
  for (const auto& [token, id] : options_.vocabulary) {
    const std::string_view view = token;
    first_.emplace(view, id);
    if (view.starts_with(prefix)) next_.emplace(view.substr(prefix.size()), id);
    longest_ = std::max(longest_, view.size());
  }
  const auto unknown = options_.vocabulary.find(options_.unknown_token);
  if (unknown == options_.vocabulary.end()) {
    throw input_error("the vocabulary of {} tokens lacks the unknown token '{}'", options_.vocabulary.size(),
                      options_.unknown_token);
  }
  unknown_id_ = unknown->second;
}

void WordPiece::append_word(std::string_view word, std::vector<std::int32_t>& ids) const {
  const std::size_t before = ids.size();
  const auto characters = std::count_if(word.begin(), word.end(), [](char c) { return !is_continuation_byte(c); });
  bool known = characters <= options_.max_characters_per_word;
  for (std::size_t start = 0; known && start < word.size();) {
    std::int32_t id = 0;
    const std::size_t length = longest_piece(word.substr(start), start == 0 ? first_ : next_, longest_, id);
    known = length > 0;
    if (known) ids.push_back(id);
    start += length;
  }
  if (known) return;
  ids.resize(before);
  ids.push_back(unknown_id_);
}

}  // namespace fedtune::text
