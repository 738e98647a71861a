#include <algorithm>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "fedtune/base/error.h"
#include "fedtune/cli/command_line.h"
#include "fedtune/cli/option_table.h"

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

// A value in TOML's spelling. JSON's strings are TOML's, but for DEL, which TOML wants escaped.
std::string toml_text(const nlohmann::json& value) {
  if (value.is_number_float()) {
    const std::string text = fmt::format("{}", value.get<double>());
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
  }
  std::string text = value.dump();
  for (std::size_t at = text.find('\x7f'); at != std::string::npos; at = text.find('\x7f', at)) {
    text.replace(at, 1, "\\u007F");
  }
  return text;
}

}  // namespace

RawValues read_config(const std::filesystem::path& file) {
  toml::table table;
  try {
    table = toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    throw usage_error("{}:{}: {}", file.string(), error.source().begin.line, error.description());
  }
  RawValues values;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const std::string place = fmt::format("{}:{}", file.string(), node.source().begin.line);
    const OptionSpec* spec = find_option(name);
    if (spec == nullptr) throw usage_error("{}: unknown key '{}'{}", place, name, nearest_option_hint(name));
    if (spec->name == "config") throw usage_error("{}: a configuration cannot name another", place);
    with_context(fmt::format("{}: {}", place, name), [&] {
      std::vector<std::string> texts = texts_of(*spec, node);
      Options scratch;
      spec->set(scratch, texts);
      values[std::string(spec->name)] = std::move(texts);
    });
  }
  return values;
}

std::string config_text(const Options& options) {
  std::vector<std::string_view> names;
  for (const OptionSpec& spec : option_table()) {
    if (spec.stored) names.push_back(spec.name);
  }
  return config_text(options, names);
}

std::string config_text(const Options& options, std::span<const std::string_view> names) {
  std::string text;
  std::string_view group;
  for (const OptionSpec& spec : option_table()) {
    const nlohmann::json value = spec.get(options);
    if (std::ranges::count(names, spec.name) == 0 || value.is_null()) continue;
    if (spec.group != group) {
      group = spec.group;
      text += fmt::format("{}# {}\n", text.empty() ? "" : "\n", group);
    }
    text += fmt::format("{} = {}\n", spec.name, toml_text(value));
  }
  return text;
}

}  // namespace fedtune::cli
