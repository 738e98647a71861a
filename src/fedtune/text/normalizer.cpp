#include "fedtune/text/normalizer.h"

#include "fedtune/text/unicode.h"

namespace fedtune::text {
namespace {

std::u32string clean(std::u32string_view text) {
  std::u32string result;
  result.reserve(text.size());
  for (const char32_t c : text) {
    if (!is_control(c)) result.push_back(is_white_space(c) ? U' ' : c);
  }
  return result;
}

std::u32string space_chinese(std::u32string_view text) {
  std::u32string result;
  result.reserve(text.size());
  for (const char32_t c : text) {
    if (is_chinese(c)) {
      result.append({U' ', c, U' '});
    } else {
      result.push_back(c);
    }
  }
  return result;
}

std::u32string lower(std::u32string_view text) {
  std::u32string result;
  result.reserve(text.size());
  for (const char32_t c : text) append_lower(result, c);
  return result;
}

// ASCII has neither ideographs nor accents.
std::string normalize_ascii(std::string_view text, const NormalizerOptions& options) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    if (options.clean_text && (c < 0x20 || c == 0x7F)) {
      if (c == '\t' || c == '\n' || c == '\r') result.push_back(' ');
    } else {
      result.push_back(options.lowercase && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 0x20) : c);
    }
  }
  return result;
}

}  // namespace

std::string normalize(std::string_view text, const NormalizerOptions& options) {
  if (is_ascii(text)) return normalize_ascii(text, options);
  std::u32string result = decode_utf8(text);
  if (options.clean_text) result = clean(result);
  if (options.handle_chinese_chars) result = space_chinese(result);
  if (options.strip_accents.value_or(options.lowercase)) {
    result = decompose(result);
    std::erase_if(result, is_nonspacing_mark);
  }
  if (options.lowercase) result = lower(result);
  return encode_utf8(result);
}

}  // namespace fedtune::text
