#include "fedtune/cli/toml_keys.h"

#include <algorithm>

namespace fedtune::cli {
namespace {

// Bytes of the string, of any of TOML's four kinds, that the text begins with; all of it where the string has no end.
std::size_t string_at_start(std::string_view text) {
  const char quote = text.front();
  const bool long_form = text.size() >= 3 && text[1] == quote && text[2] == quote;
  const std::string_view mark = text.substr(0, long_form ? 3 : 1);
  for (std::size_t at = mark.size(); at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (text.substr(at).starts_with(mark)) {
      return at + mark.size();
    } else if (!long_form && text[at] == '\n') {
      return at;
    }
  }
  return text.size();
}

}  // namespace

int longest_key(std::string_view toml) {
  int longest = 1, parts = 1;
  while (!toml.empty()) {
    const char c = toml.front();
    std::size_t length = 1;
    if (c == '"' || c == '\'') {
      length = string_at_start(toml);
    } else if (c == '#') {
      length = std::min(toml.find('\n'), toml.size());
    } else if (c == '.') {
      longest = std::max(longest, ++parts);
    } else if (std::string_view("\n=,[]{}").find(c) != std::string_view::npos) {
      parts = 1;
    }
    toml.remove_prefix(length);
  }
  return longest;
}

}  // namespace fedtune::cli
