#include "fedtune/base/plain_text.h"

namespace fedtune {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

// Bytes of the character that the text begins with; 0 where it begins with none (RFC 3629: neither overlong forms nor
// surrogates are).
std::size_t character_at_start(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  }
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool surrogate = first == 0xED && byte(1) >= 0xA0;
  const bool too_large = first == 0xF4 && byte(1) >= 0x90;
  return overlong || surrogate || too_large ? 0 : length;
}

}  // namespace

std::string plain_text(std::string_view text, std::size_t longest) {
  std::string plain;
  while (!text.empty()) {
    const std::size_t length = character_at_start(text);
    std::string_view character = length == 0 ? replacement : text.substr(0, length);
    if (length == 1 && (text.front() < ' ' || text.front() == '\x7F')) character = " ";
    if (plain.size() + character.size() > longest) return plain + "...";
    plain += character;
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return plain;
}

}  // namespace fedtune
