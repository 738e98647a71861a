// One table of options: the command line, --config files, config.toml, --help and the comparison on resume all read it.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "fedtune/cli/options.h"

namespace fedtune::cli {

enum class Arity { flag, one, many };

// What an option means for a run that is resumed.
enum class OnResume {
  must_match,  // it may change results
  may_differ,  // it cannot
};

struct OptionSpec {
  std::string_view name;   // "client-lr"
  std::string_view group;  // heading in --help
  std::string_view help;
  Arity arity = Arity::one;
  OnResume on_resume = OnResume::must_match;
  bool stored = true;  // written to config.toml
  // Throws Error(usage) that names the option, what was expected and what was found.
  std::function<void(Options&, std::span<const std::string>)> set;
  // null where an optional value is unset.
  std::function<nlohmann::json(const Options&)> get;
};

const std::vector<OptionSpec>& option_table();

// By name with either '-' or '_'; nullptr where there is none.
const OptionSpec* find_option(std::string_view name);

// " (the nearest is --client-lr)", or empty where nothing is near.
std::string nearest_option_hint(std::string_view name);

// The value as a user would type it: "5e-05", "query,value".
std::string value_text(const nlohmann::json& value);

void copy_option(const OptionSpec& spec, const Options& from, Options& into);

}  // namespace fedtune::cli
