#include "fedtune/cli/toml_file.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/base/nearest.h"
#include "fedtune/cli/toml_keys.h"

namespace fedtune::cli {
namespace {

std::string scalar_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  throw usage_error("expected a string, a number, true or false");
}

std::vector<std::string> texts_of(const OptionSpec& spec, const toml::node& node) {
  const toml::array* array = node.as_array();
  if (array == nullptr) return {scalar_text(node)};
  if (spec.arity != Arity::many) throw usage_error("expected one value, not a list");
  std::vector<std::string> texts;
  for (const toml::node& item : *array) texts.push_back(scalar_text(item));
  return texts;
}

}  // namespace

TomlFile::TomlFile(std::filesystem::path path) : path_(std::move(path)) {
  constexpr int longest = 64;                          // parts of a key; no option has more than two
  constexpr std::size_t most = std::size_t{1} << 20U;  // bytes; all options together fill a page
  std::ifstream file(path_, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (text.size() > most) {
    throw usage_error("{}: {} bytes, expected at most {}; check that it is the right file", path_.string(), text.size(),
                      most);
  }
  if (const int parts = longest_key(text); parts > longest) {
    throw usage_error("{}: a key of {} parts, expected at most {}", path_.string(), parts, longest);
  }
  try {
    root_ = file.is_open() ? toml::parse(text, path_.string()) : toml::parse_file(path_.string());
  } catch (const toml::parse_error& error) {
    throw usage_error("{}:{}: {}", path_.string(), error.source().begin.line, error.description());
  }
}

std::vector<TomlEntry> TomlFile::in_file_order(const toml::table& table) {
  std::vector<std::pair<toml::source_position, TomlEntry>> found;
  for (const auto& [key, node] : table) {
    found.emplace_back(key.source().begin, TomlEntry{std::string(key.str()), &node});
  }
  std::ranges::sort(found, [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<TomlEntry> entries;
  entries.reserve(found.size());
  for (auto& [position, entry] : found) entries.push_back(std::move(entry));
  return entries;
}

std::string TomlFile::place(const toml::node& node) const {
  return fmt::format("{}:{}", path_.string(), node.source().begin.line);
}

const OptionSpec& TomlFile::option(const std::string& key, const toml::node& node,
                                   std::span<const std::string> others) const {
  if (const OptionSpec* spec = find_option(key)) return *spec;
  if (const std::string near = nearest_name(key, others); !near.empty()) {
    throw usage_error("{}: unknown key '{}'; the nearest is {}", place(node), key, near);
  }
  throw usage_error("{}: unknown key '{}'{}", place(node), key, nearest_option_hint(key));
}

std::vector<std::string> TomlFile::texts(const OptionSpec& spec, const std::string& key, const toml::node& node) const {
  return with_context(fmt::format("{}: {}", place(node), key), [&] {
    std::vector<std::string> texts = texts_of(spec, node);
    Options scratch;
    spec.set(scratch, texts);
    return texts;
  });
}

}  // namespace fedtune::cli
