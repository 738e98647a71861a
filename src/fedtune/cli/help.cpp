#include "fedtune/cli/help.h"

#include <algorithm>

#include <fmt/format.h>

#include "fedtune/cli/option_table.h"

namespace fedtune::cli {
namespace {

constexpr std::size_t line_width = 80;
constexpr std::size_t cell_width = 39;
constexpr std::size_t name_width = 22;

bool is_listed(const Command& command, const OptionSpec& spec) {
  return std::ranges::count(command.help_groups, spec.group) > 0 ||
         std::ranges::count(command.help_options, spec.name) > 0;
}

// "--client-lr 5e-05   AdamW's rate"
std::string option_text(const OptionSpec& spec) {
  static const Options defaults;
  const std::string value = spec.arity == Arity::flag ? "" : value_text(spec.get(defaults));
  return fmt::format("{:<{}}{}", fmt::format("--{} {} ", spec.name, value), name_width, spec.help);
}

// Fills the lines of one group, two options side by side where both are short.
class GroupText {
 public:
  void add(const std::string& option) {
    if (!pending_.empty() && option.size() < cell_width) {
      text_ += fmt::format("  {:<{}}{}\n", pending_, cell_width, option);
      pending_.clear();
      return;
    }
    flush();
    if (option.size() < cell_width) {
      pending_ = option;
    } else {
      text_ += fmt::format("  {}\n", option);
    }
  }

  std::string finish() {
    flush();
    return std::move(text_);
  }

 private:
  void flush() {
    if (!pending_.empty()) text_ += fmt::format("  {}\n", pending_);
    pending_.clear();
  }

  std::string text_, pending_;
};

}  // namespace

std::string program_help() {
  std::string text =
      "fedtune: federated fine-tuning of language models; data stays with its owner,\n"
      "adapters travel.\n\n"
      "usage: fedtune COMMAND [OPTION VALUE]...\n\n";
  for (const Command& command : commands()) text += fmt::format("  {:<10}{}\n", command.name, command.summary);
  text +=
      "\n  --help      this text, or that of a command\n"
      "  --version   versions, and the kernels used on this processor\n\n"
      "Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 bad data or model,\n"
      "4 network, 130 or 143 interrupted (state saved).\n";
  return text;
}

std::string command_help(const Command& command) {
  std::string text =
      fmt::format("fedtune {}: {}\nusage: fedtune {} {}[OPTION VALUE]...\n", command.name, command.summary,
                  command.name, command.arguments.empty() ? "" : fmt::format("{} ", command.arguments));
  std::string_view group;
  GroupText lines;
  for (const OptionSpec& spec : option_table()) {
    if (!is_listed(command, spec)) continue;
    if (spec.group != group) {
      text += lines.finish();
      group = spec.group;
      text += fmt::format("{}\n", group);
    }
    lines.add(option_text(spec));
  }
  text += lines.finish();
  text += command.note;
  text += "Values shown are defaults. Every command takes every option, with - or _.\n";
  return text;
}

}  // namespace fedtune::cli
