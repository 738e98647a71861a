// Arguments and a --config file into Options.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fedtune/cli/options.h"

namespace fedtune::cli {

// Option names (with '-') and the texts they were given, before any meaning.
using RawValues = std::map<std::string, std::vector<std::string>, std::less<>>;

struct CommandLine {
  Options options;
  // Names said on the command line or in the --config file.
  std::set<std::string, std::less<>> given;
  std::vector<std::string> positionals;
  bool help = false;
};

// `arguments` follow the command's name; at most `max_positionals` of them are no option. Values come from the
// defaults, then --config, then the arguments. Throws Error(usage) for anything unknown (with the nearest known name),
// missing or out of range.
CommandLine parse_command_line(std::span<const std::string> arguments, std::size_t max_positionals);

// The options of a TOML file: top-level keys named like the options, with '-' or '_'. Throws Error(usage) naming file
// and line for bad TOML, unknown keys and values of no use.
RawValues read_config(const std::filesystem::path& file);

// Sets options from texts; throws Error(usage).
void set_options(const RawValues& values, Options& options);

// What read_config reads back: every stored option, grouped, with its help as a comment.
std::string config_text(const Options& options);
// The same, of some options alone.
std::string config_text(const Options& options, std::span<const std::string_view> names);

}  // namespace fedtune::cli
