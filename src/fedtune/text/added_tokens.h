// Tokens that are looked for in the text itself, before words are: special tokens and what users have added.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fedtune::text {

struct AddedToken {
  std::string content;
  std::int32_t id = 0;
  bool single_word = false;  // not beside another word character
  bool lstrip = false;       // takes white space on its left with it
  bool rstrip = false;
  bool normalized = false;  // is looked for in the normalised text
};

// A part of a text: an added token, or what stands between them.
struct TextPart {
  std::string_view text;
  const AddedToken* token = nullptr;
};

// Immutable; safe to use from several threads.
class AddedTokens {
 public:
  AddedTokens() = default;
  explicit AddedTokens(std::vector<AddedToken> tokens);

  bool empty() const { return tokens_.empty(); }
  // Cuts `text` at the leftmost, then longest tokens. Parts that are not tokens are never empty.
  std::vector<TextPart> split(std::string_view text) const;

 private:
  const AddedToken* longest_at(std::string_view text) const;

  std::vector<AddedToken> tokens_;       // longest first
  std::array<bool, 256> first_bytes_{};  // with which a token may begin
};

}  // namespace fedtune::text
