#include <algorithm>
#include <cstdint>
#include <limits>

#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/cli/command_line.h"
#include "fedtune/cli/option_table.h"
#include "fedtune/cli/toml_file.h"

namespace fedtune::cli {
namespace {

// A value in TOML's spelling. JSON's strings are TOML's, but for DEL, which TOML wants escaped; TOML's integers are
// signed, so that a greater one stands in quotes.
std::string toml_text(const nlohmann::json& value) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
    return fmt::format("\"{}\"", value.get<std::uint64_t>());
  }
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
  const TomlFile toml(file);
  RawValues values;
  for (const auto& [key, node] : TomlFile::in_file_order(toml.root())) {
    const OptionSpec& spec = toml.option(key, *node);
    if (spec.name == "config") throw usage_error("{}: a configuration cannot name another", toml.place(*node));
    values[std::string(spec.name)] = toml.texts(spec, key, *node);
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
