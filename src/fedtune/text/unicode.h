// UTF-8, and Unicode as the reference library's tables have it.
//
// The tokenizers library carries tables of several ages: BERT's character classes of Unicode 8, canonical decomposition
// of Unicode 9, lower-casing of Unicode 17, the classes of patterns (\p{L}, \p{N}) of Unicode 16. ICU's tables are
// newer or older; these functions answer as the library does for every code point, whichever ICU is linked
// (tests/parity compares them all).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fedtune::text {

// Byte offset of the first byte that is not UTF-8 (overlong forms and surrogates are not), or nothing.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);
bool is_ascii(std::string_view text);

// The code point at byte `at` of valid UTF-8; moves `at` behind it.
char32_t next_code_point(std::string_view text, std::size_t& at);
void append_utf8(std::string& text, char32_t code_point);
std::u32string decode_utf8(std::string_view text);
std::string encode_utf8(std::u32string_view code_points);

bool is_white_space(char32_t c);
// Control, format and private-use characters but tab, line feed and carriage return; NUL and U+FFFD count.
bool is_control(char32_t c);
// ASCII punctuation and symbols, and the Unicode categories P*.
bool is_punctuation(char32_t c);
// Category Mn.
bool is_nonspacing_mark(char32_t c);
// The ideographs that are set off by spaces; neither kana nor hangul.
bool is_chinese(char32_t c);
// \w: letters, marks, decimal digits, connectors and joiners.
bool is_word_character(char32_t c);
// \p{L} and \p{N} of a pattern.
bool is_letter(char32_t c);
bool is_number(char32_t c);

// What `kind_of` says of each ASCII character, which make up most text.
template <typename Kind>
std::array<Kind, 128> of_ascii(Kind (&kind_of)(char32_t)) {
  std::array<Kind, 128> kinds;
  for (char32_t c = 0; c < 128; ++c) kinds[c] = kind_of(c);
  return kinds;
}

// The full lower-case mapping of one character, without context.
void append_lower(std::u32string& text, char32_t c);
// Canonical decomposition with canonical ordering (NFD).
std::u32string decompose(std::u32string_view text);

}  // namespace fedtune::text
