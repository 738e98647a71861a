#include "fedtune/cli/shell_word.h"

#include <string_view>

namespace fedtune::cli {

std::string shell_word(const std::string& text) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

std::string shell_path(const std::string& text) {
  constexpr std::string_view home = "~/";
  if (!text.starts_with(home) || text.size() == home.size()) return shell_word(text);
  return std::string(home) + shell_word(text.substr(home.size()));
}

}  // namespace fedtune::cli
