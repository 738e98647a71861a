// Options in a TOML file: keys named like the options, errors that name file and line.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <toml++/toml.h>

#include "fedtune/cli/option_table.h"

namespace fedtune::cli {

// A key and what stands behind it.
using TomlEntry = std::pair<std::string, const toml::node*>;

class TomlFile {
 public:
  // Throws Error(usage) where it cannot be read or is no TOML.
  explicit TomlFile(std::filesystem::path path);

  const toml::table& root() const { return root_; }
  // A table's keys as they follow one another in the file.
  static std::vector<TomlEntry> in_file_order(const toml::table& table);

  // "settings.toml:3"
  std::string place(const toml::node& node) const;
  // The option that a key names. Throws Error(usage) with the nearest name, `others` being keys that are no options.
  const OptionSpec& option(const std::string& key, const toml::node& node,
                           std::span<const std::string> others = {}) const;
  // The value of an option as the command line would have it. Throws Error(usage) for one that the option refuses.
  std::vector<std::string> texts(const OptionSpec& spec, const std::string& key, const toml::node& node) const;

 private:
  std::filesystem::path path_;
  toml::table root_;
};

}  // namespace fedtune::cli
