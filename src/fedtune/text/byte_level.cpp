#include "fedtune/text/byte_level.h"

#include <algorithm>

#include "fedtune/text/unicode.h"

namespace fedtune::text {
namespace {

enum class CharacterKind : std::uint8_t { letter, number, space, other };

CharacterKind kind_of(char32_t c) {
  if (is_white_space(c)) return CharacterKind::space;
  if (is_letter(c)) return CharacterKind::letter;
  return is_number(c) ? CharacterKind::number : CharacterKind::other;
}

// The kind of the character at byte `at`; moves `at` behind it.
CharacterKind next_kind(std::string_view text, std::size_t& at) {
  static const std::array<CharacterKind, 128> kinds = of_ascii(kind_of);
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte >= 128) return kind_of(next_code_point(text, at));
  ++at;
  return kinds[byte];
}

// Where the characters of `kind` that begin at byte `at` end.
std::size_t end_of_run(std::string_view text, std::size_t at, CharacterKind kind) {
  for (std::size_t next = at; next < text.size() && next_kind(text, next) == kind;) at = next;
  return at;
}

std::size_t contraction(std::string_view text) {
  constexpr std::array<std::string_view, 7> endings{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
  const auto* const found =
      std::ranges::find_if(endings, [&](std::string_view ending) { return text.starts_with(ending); });
  return found == endings.end() ? 0 : found->size();
}

// White space up to the end of the text is one word; before a character, its last one is left to that.
std::size_t white_space(std::string_view text) {
  std::size_t last = 0;
  std::size_t end = 0;
  for (std::size_t next = 0; next < text.size() && next_kind(text, next) == CharacterKind::space;) {
    last = end;
    end = next;
  }
  return end == text.size() || last == 0 ? end : last;
}

}  // namespace

std::array<char32_t, 256> byte_characters() {
  std::array<char32_t, 256> characters;
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool visible = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
    characters[byte] = visible ? byte : next++;
  }
  return characters;
}

std::size_t first_word(std::string_view text) {
  if (const std::size_t length = contraction(text); length > 0) return length;
  std::size_t at = 0;
  CharacterKind kind = next_kind(text, at);
  if (text.front() == ' ' && at < text.size()) {  // a blank goes with what follows it
    std::size_t behind = at;
    const CharacterKind following = next_kind(text, behind);
    if (following != CharacterKind::space) {
      at = behind;
      kind = following;
    }
  }
  return kind == CharacterKind::space ? white_space(text) : end_of_run(text, at, kind);
}

}  // namespace fedtune::text
