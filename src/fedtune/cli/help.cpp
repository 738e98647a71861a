#include "fedtune/cli/help.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "fedtune/cli/option_table.h"

namespace fedtune::cli {
namespace {

// Two cells and a margin make a line of 80.
constexpr std::size_t cell_width = 39;
constexpr std::size_t name_width = 20;

bool is_listed(const Command& command, const OptionSpec& spec) {
  return std::ranges::count(command.help_groups, spec.group) > 0 ||
         std::ranges::count(command.help_options, spec.name) > 0;
}

// "--client-lr 5e-05   AdamW's rate"
std::string option_text(const OptionSpec& spec) {
  static const Options defaults;
  const std::string value = spec.arity == Arity::flag ? "" : value_text(spec.get(defaults));
  const std::string name = fmt::format("--{}{}{}", spec.name, value.empty() ? "" : " ", value);
  return fmt::format("{:<{}}{}{}", name, name_width, name.size() < name_width ? "" : "  ", spec.help);
}

// The lines of one group: a short option stands beside the first short one that is still alone.
class GroupText {
 public:
  void add(const std::string& option) {
    const bool is_short = option.size() < cell_width;
    if (is_short && alone_) {
      std::string& line = lines_[*alone_];
      line = fmt::format("{:<{}}{}", line, cell_width, option);
      alone_.reset();
      return;
    }
    if (is_short) alone_ = lines_.size();
    lines_.push_back(option);
  }

  std::string text() const {
    std::string text;
    for (const std::string& line : lines_) text += fmt::format("  {}\n", line);
    return text;
  }

 private:
  std::vector<std::string> lines_;
  std::optional<std::size_t> alone_;  // index of a line with one short option
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
  std::string_view heading;
  GroupText group;
  for (const OptionSpec& spec : option_table()) {
    if (!is_listed(command, spec)) continue;
    if (spec.group != heading) {
      text += std::exchange(group, {}).text();
      heading = spec.group;
      text += fmt::format("{}\n", heading);
    }
    group.add(option_text(spec));
  }
  text += group.text();
  text += command.note;
  text += "Values shown are defaults. Any command takes any option, with - or _.\n";
  return text;
}

}  // namespace fedtune::cli
