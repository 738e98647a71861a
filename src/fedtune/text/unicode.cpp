#include "fedtune/text/unicode.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include "fedtune/base/error.h"

namespace fedtune::text {
namespace {

constexpr int newest_class = 8;          // Unicode version of the reference's categories
constexpr int newest_decomposition = 9;  // and of its normalisation
constexpr int newest_pattern_class = 16;

UChar32 icu(char32_t c) {
  return static_cast<UChar32>(c);
}

// The major Unicode version that gave the code point a character; 0 where none did.
int age(char32_t c) {
  UVersionInfo version;
  u_charAge(icu(c), version);
  return version[0];
}

// ICU's category, put back to what it was in Unicode 8 where it has changed since.
std::int8_t category(char32_t c) {
  switch (c) {
    case 0x166D:   // Canadian syllabics chi sign
    case 0x111C9:  // Sharada sandhi mark
      return U_OTHER_PUNCTUATION;
    case 0x1734:  // Hanunoo sign pamudpod
      return U_NON_SPACING_MARK;
    case 0x1885:  // Mongolian letters Ali Gali baluda
    case 0x1886:
      return U_OTHER_LETTER;
    case 0xA9BD:  // Javanese consonant sign keret
      return U_COMBINING_SPACING_MARK;
    default:
      return age(c) > newest_class ? static_cast<std::int8_t>(U_UNASSIGNED) : u_charType(icu(c));
  }
}

bool has_category(char32_t c, std::uint32_t mask) {
  return (U_MASK(category(c)) & mask) != 0;
}

// Letters that received a lower-case partner after the Unicode version that ICU may have.
struct LowerCaseRange {
  char32_t first, last, lower;
};
constexpr std::array<LowerCaseRange, 10> late_lower_case{{
    {0x1C89, 0x1C89, 0x1C8A},
    {0xA7CB, 0xA7CB, 0x0264},
    {0xA7CC, 0xA7CC, 0xA7CD},
    {0xA7CE, 0xA7CE, 0xA7CF},
    {0xA7D2, 0xA7D2, 0xA7D3},
    {0xA7D4, 0xA7D4, 0xA7D5},
    {0xA7DA, 0xA7DA, 0xA7DB},
    {0xA7DC, 0xA7DC, 0x019B},
    {0x10D50, 0x10D65, 0x10D70},
    {0x16EA0, 0x16EB8, 0x16EBB},
}};

// Letters and numbers that have come since Unicode 14, which ICU may not have.
struct Range {
  char32_t first, last;
};
constexpr std::array<Range, 35> late_letters{{
    {0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},   {0x105C0, 0x105F3}, {0x10D4A, 0x10D65},
    {0x10D6F, 0x10D85}, {0x10EC2, 0x10EC4}, {0x1123F, 0x11240}, {0x11380, 0x11389}, {0x1138B, 0x1138B},
    {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113B7}, {0x113D1, 0x113D1}, {0x113D3, 0x113D3},
    {0x11BC0, 0x11BE0}, {0x11F02, 0x11F02}, {0x11F04, 0x11F10}, {0x11F12, 0x11F33}, {0x1342F, 0x1342F},
    {0x13441, 0x13446}, {0x13460, 0x143FA}, {0x16100, 0x1611D}, {0x16D40, 0x16D6C}, {0x18CFF, 0x18CFF},
    {0x1B132, 0x1B132}, {0x1B155, 0x1B155}, {0x1DF25, 0x1DF2A}, {0x1E030, 0x1E06D}, {0x1E4D0, 0x1E4EB},
    {0x1E5D0, 0x1E5ED}, {0x1E5F0, 0x1E5F0}, {0x2B739, 0x2B739}, {0x2EBF0, 0x2EE5D}, {0x31350, 0x323AF},
}};
constexpr std::array<Range, 10> late_numbers{{
    {0x10D40, 0x10D49},
    {0x116D0, 0x116E3},
    {0x11BF0, 0x11BF9},
    {0x11F50, 0x11F59},
    {0x16130, 0x16139},
    {0x16D70, 0x16D79},
    {0x1CCF0, 0x1CCF9},
    {0x1D2C0, 0x1D2D3},
    {0x1E4F0, 0x1E4F9},
    {0x1E5F1, 0x1E5FA},
}};

bool is_within(std::span<const Range> ranges, char32_t c) {
  const auto next = std::ranges::upper_bound(ranges, c, {}, &Range::first);
  return next != ranges.begin() && c <= std::prev(next)->last;
}

// Of a pattern's class: by ICU, but for what is too new for the reference or for ICU.
bool has_pattern_class(char32_t c, std::uint32_t mask, std::span<const Range> late) {
  if ((U_GET_GC_MASK(icu(c)) & mask) != 0) return age(c) <= newest_pattern_class;
  return is_within(late, c);
}

const UNormalizer2* canonical_normalizer() {
  UErrorCode error = U_ZERO_ERROR;
  const UNormalizer2* normalizer = unorm2_getNFDInstance(&error);
  if (U_FAILURE(error)) throw failed("loading ICU's normalisation data: {}", u_errorName(error));
  return normalizer;
}

void append_decomposition(std::u32string& text, char32_t c, const UNormalizer2* normalizer) {
  std::array<UChar, 64> units;
  UErrorCode error = U_ZERO_ERROR;
  const int length = age(c) > newest_decomposition
                         ? -1
                         : unorm2_getDecomposition(normalizer, icu(c), units.data(), units.size(), &error);
  if (length < 0) {
    text.push_back(c);
    return;
  }
  for (int at = 0; at < length;) {
    UChar32 part;
    U16_NEXT(units.data(), at, length, part);
    text.push_back(static_cast<char32_t>(part));
  }
}

int combining_class(char32_t c) {
  return age(c) > newest_decomposition ? 0 : u_getCombiningClass(icu(c));
}

}  // namespace

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  for (std::size_t at = 0; at < text.size();) {
    if (bytes[at] < 0x80) {
      ++at;
      continue;
    }
    const std::size_t start = at;
    UChar32 c;
    U8_NEXT(bytes, at, text.size(), c);
    if (c < 0) return start;
  }
  return std::nullopt;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  UChar32 c;
  U8_NEXT_OR_FFFD(bytes, at, text.size(), c);
  return static_cast<char32_t>(c);
}

void append_utf8(std::string& text, char32_t code_point) {
  std::array<std::uint8_t, U8_MAX_LENGTH> bytes;
  std::size_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, code_point);
  text.append(reinterpret_cast<const char*>(bytes.data()), length);
}

std::u32string decode_utf8(std::string_view text) {
  std::u32string code_points;
  code_points.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) code_points.push_back(next_code_point(text, at));
  return code_points;
}

std::string encode_utf8(std::u32string_view code_points) {
  std::string text;
  text.reserve(code_points.size());
  for (const char32_t c : code_points) append_utf8(text, c);
  return text;
}

bool is_white_space(char32_t c) {
  return u_isUWhiteSpace(icu(c)) != 0;
}

bool is_control(char32_t c) {
  if (c == U'\t' || c == U'\n' || c == U'\r') return false;
  return c == 0xFFFD || has_category(c, U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK);
}

bool is_punctuation(char32_t c) {
  if (c < 0x80) return c > 0x20 && c < 0x7F && u_isalnum(icu(c)) == 0;
  return has_category(c, U_GC_P_MASK);
}

bool is_nonspacing_mark(char32_t c) {
  return c >= 0x80 && has_category(c, U_GC_MN_MASK);
}

bool is_chinese(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x2F800 && c <= 0x2FA1F);
}

bool is_word_character(char32_t c) {
  return u_hasBinaryProperty(icu(c), UCHAR_ALPHABETIC) || u_hasBinaryProperty(icu(c), UCHAR_JOIN_CONTROL) ||
         (U_GET_GC_MASK(icu(c)) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0;
}

bool is_letter(char32_t c) {
  return has_pattern_class(c, U_GC_L_MASK, late_letters);
}

bool is_number(char32_t c) {
  return has_pattern_class(c, U_GC_N_MASK, late_numbers);
}

void append_lower(std::u32string& text, char32_t c) {
  if (c < 0x80) {
    text.push_back(c >= U'A' && c <= U'Z' ? c + 0x20 : c);
    return;
  }
  if (c == 0x130) {  // I with dot above: the only character whose lower case is two
    text.append(U"i\u0307");
    return;
  }
  for (const LowerCaseRange& range : late_lower_case) {
    if (c >= range.first && c <= range.last) {
      text.push_back(range.lower + (c - range.first));
      return;
    }
  }
  text.push_back(static_cast<char32_t>(u_tolower(icu(c))));
}

std::u32string decompose(std::u32string_view text) {
  const UNormalizer2* normalizer = canonical_normalizer();
  std::u32string result;
  result.reserve(text.size() + text.size() / 4);
  for (const char32_t c : text) {
    if (c < 0x80) {
      result.push_back(c);
    } else {
      append_decomposition(result, c, normalizer);
    }
  }
  // Marks behind a base character are put in the order of their combining classes, equal ones as they stood.
  const auto is_mark = [](char32_t c) { return c >= 0x80 && combining_class(c) != 0; };
  for (auto begin = result.begin(); begin != result.end();) {
    begin = std::find_if(begin, result.end(), is_mark);
    const auto end = std::find_if_not(begin, result.end(), is_mark);
    std::stable_sort(begin, end, [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); });
    begin = end;
  }
  return result;
}

}  // namespace fedtune::text
