#include "fedtune/text/added_tokens.h"

#include <algorithm>

#include "fedtune/text/unicode.h"

namespace fedtune::text {
namespace {

// Start of the code point that ends at byte `end`; end > 0.
std::size_t previous_code_point(std::string_view text, std::size_t end) {
  do {
    --end;
  } while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80);
  return end;
}

bool ends_with_word(std::string_view text) {
  if (text.empty()) return false;
  std::size_t at = previous_code_point(text, text.size());
  return is_word_character(next_code_point(text, at));
}

bool starts_with_word(std::string_view text) {
  std::size_t at = 0;
  return !text.empty() && is_word_character(next_code_point(text, at));
}

std::size_t white_space_at_end(std::string_view text) {
  std::size_t begin = text.size();
  while (begin > 0) {
    const std::size_t previous = previous_code_point(text, begin);
    std::size_t at = previous;
    if (!is_white_space(next_code_point(text, at))) break;
    begin = previous;
  }
  return text.size() - begin;
}

std::size_t white_space_at_start(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size() && is_white_space(next_code_point(text, at));) end = at;
  return end;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::erase_if(tokens_, [](const AddedToken& token) { return token.content.empty(); });
  std::stable_sort(tokens_.begin(), tokens_.end(),
                   [](const AddedToken& a, const AddedToken& b) { return a.content.size() > b.content.size(); });
  for (const AddedToken& token : tokens_) first_bytes_[static_cast<unsigned char>(token.content.front())] = true;
}

const AddedToken* AddedTokens::longest_at(std::string_view text) const {
  const auto found = std::find_if(tokens_.begin(), tokens_.end(),
                                  [&](const AddedToken& token) { return text.starts_with(token.content); });
  return found == tokens_.end() ? nullptr : &*found;
}

std::vector<TextPart> AddedTokens::split(std::string_view text) const {
  std::vector<TextPart> parts;
  std::size_t done = 0;  // the text before it has its parts
  for (std::size_t at = 0; at < text.size();) {
    const AddedToken* token =
        first_bytes_[static_cast<unsigned char>(text[at])] ? longest_at(text.substr(at)) : nullptr;
    if (token == nullptr) {
      ++at;
      continue;
    }
    std::size_t start = at;
    std::size_t stop = at + token->content.size();
    at = stop;
    if (token->single_word && (ends_with_word(text.substr(0, start)) || starts_with_word(text.substr(stop)))) continue;
    if (token->lstrip) start = std::max(done, start - white_space_at_end(text.substr(0, start)));
    if (token->rstrip) stop += white_space_at_start(text.substr(stop));
    if (done < start) parts.push_back({.text = text.substr(done, start - done)});
    parts.push_back({.text = text.substr(start, stop - start), .token = token});
    done = stop;
  }
  if (done < text.size()) parts.push_back({.text = text.substr(done)});
  return parts;
}

}  // namespace fedtune::text
