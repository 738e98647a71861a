#include "fedtune/cli/command_line.h"

#include <algorithm>
#include <utility>

#include <CLI/CLI.hpp>

#include "fedtune/base/error.h"
#include "fedtune/cli/option_table.h"

namespace fedtune::cli {
namespace {

bool is_long_option(std::string_view argument) {
  return argument.size() > 2 && argument.starts_with("--");
}

// "--client_lr=1e-3" becomes "--client-lr=1e-3"; an unknown name ends here.
std::string checked_argument(const std::string& argument) {
  if (!is_long_option(argument)) {
    if (argument.size() > 1 && argument[0] == '-' && std::isalpha(static_cast<unsigned char>(argument[1])) != 0 &&
        argument != "-h") {
      throw usage_error("unknown option '{}'; long options start with two hyphens, see --help", argument);
    }
    return argument;
  }
  const std::size_t end = std::min(argument.find('='), argument.size());
  const std::string name = argument.substr(2, end - 2);
  if (name == "help") return argument;
  const OptionSpec* spec = find_option(name);
  if (spec == nullptr) throw usage_error("unknown option '--{}'{}", name, nearest_option_hint(name));
  return fmt::format("--{}{}", spec->name, argument.substr(end));
}

// Values are not checked here: what stands behind an option that takes one is its value, whatever it looks like.
std::vector<std::string> checked_arguments(std::span<const std::string> arguments) {
  std::vector<std::string> checked;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string text = checked_argument(arguments[i]);
    const bool stands_alone = !is_long_option(text) || text == "--help" || std::ranges::find(text, '=') != text.end() ||
                              find_option(std::string_view(text).substr(2))->arity == Arity::flag;
    if (!stands_alone) {
      if (i + 1 == arguments.size() || is_long_option(arguments[i + 1])) throw usage_error("{} needs a value", text);
      text.append("=").append(arguments[++i]);
    }
    checked.push_back(std::move(text));
  }
  return checked;
}

void register_options(CLI::App& app, RawValues& values) {
  for (const OptionSpec& spec : option_table()) {
    const std::string name(spec.name);
    if (spec.arity == Arity::flag) {
      app.add_flag_callback(fmt::format("--{}", name), [&values, name] { values[name] = {"true"}; });
      continue;
    }
    app.add_option_function<std::vector<std::string>>(fmt::format("--{}", name),
                                                      [&values, name](const auto& given) { values[name] = given; })
        ->expected(1)
        ->multi_option_policy(spec.arity == Arity::many ? CLI::MultiOptionPolicy::TakeAll
                                                        : CLI::MultiOptionPolicy::TakeLast);
  }
}

}  // namespace

void set_options(const RawValues& values, Options& options) {
  for (const auto& [name, texts] : values) find_option(name)->set(options, texts);
}

CommandLine parse_command_line(std::span<const std::string> arguments, std::size_t max_positionals) {
  CommandLine line;
  CLI::App app;
  app.set_help_flag();
  app.add_flag("-h,--help", line.help);
  RawValues values;
  register_options(app, values);
  app.add_option("positionals", line.positionals);

  std::vector<std::string> reversed = checked_arguments(arguments);
  std::ranges::reverse(reversed);
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    throw usage_error("{}", error.what());
  }
  if (line.positionals.size() > max_positionals) {
    throw usage_error("unexpected argument '{}'; see --help", line.positionals[max_positionals]);
  }

  RawValues from_file;
  if (const auto config = values.find("config"); config != values.end()) from_file = read_config(config->second.back());
  set_options(from_file, line.options);
  set_options(values, line.options);
  for (const RawValues* source : {&from_file, &values}) {
    for (const auto& [name, texts] : *source) line.given.insert(name);
  }
  return line;
}

}  // namespace fedtune::cli
