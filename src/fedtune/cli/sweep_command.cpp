#include <algorithm>
#include <array>
#include <cstdio>

#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/cli/command.h"
#include "fedtune/cli/option_table.h"
#include "fedtune/cli/shell_word.h"
#include "fedtune/cli/sweep/runner.h"
#include "fedtune/cli/sweep/tabulate.h"

namespace fedtune::cli {
namespace {

namespace fs = std::filesystem;

// Options of the command line that are the sweep's own.
constexpr std::array<std::string_view, 3> own_options{"output", "name", "table"};

std::string given_text(const CommandLine& line, std::string_view option) {
  return value_text(find_option(option)->get(line.options));
}

bool varies(const SweepFile& sweep, std::string_view option) {
  const auto holds = [&](const std::vector<Axis>& axes) { return std::ranges::count(axes, option, &Axis::option) > 0; };
  return holds(sweep.axes) || (sweep.tuning && holds(sweep.tuning->candidates)) ||
         std::ranges::any_of(sweep.cases, [&](const Case& one) { return holds(one.options); });
}

// What is said on the command line wins over what all runs have in common.
SweepFile sweep_of(const CommandLine& line) {
  if (line.positionals.empty()) throw usage_error("which FILE.toml? see fedtune sweep --help");
  for (const std::string_view option : {"config", "resume"}) {
    if (line.given.contains(option)) {
      throw usage_error("--{}: not with sweep: its FILE says what is run, and it goes on by itself", option);
    }
  }
  const std::string& file = line.positionals.front();
  SweepFile sweep = read_sweep(file);
  for (const std::string& option : line.given) {
    if (varies(sweep, option)) throw usage_error("--{}: {} varies it; change it there", option, file);
    if (std::ranges::count(own_options, option) == 0) sweep.common[option] = {given_text(line, option)};
  }
  if (line.given.contains("name")) sweep.name = line.options.run.name;
  if (sweep.name.empty() || sweep.name.starts_with('.') || sweep.name.find('/') != std::string::npos) {
    throw usage_error("--name: '{}' cannot name a folder; give a name without '/'", sweep.name);
  }
  if (sweep.output.empty() || line.given.contains("output")) sweep.output = line.options.run.output;
  return sweep;
}

// The command line again.
std::string command_text(const CommandLine& line) {
  RawValues given;
  for (const std::string& option : line.given) given[option] = {given_text(line, option)};
  std::string text = "fedtune sweep " + shell_word(line.positionals.front());
  for (const std::string& argument : arguments_of(given)) text += " " + shell_word(argument);
  return text;
}

void require_table_format(const std::string& table) {
  if (!table.empty() && !table.ends_with(".md") && !table.ends_with(".csv")) {
    throw usage_error("--table {}: expected a name that ends in .md or .csv", table);
  }
}

// What a sweep does, from its plan to its table.
class Sweep {
 public:
  Sweep(const CommandLine& line, SweepFile file)
      : options_(line.options),
        file_(std::move(file)),
        runs_(plan_runs(file_)),
        groups_(plan_tuning(file_, runs_)),
        folder_(fs::path(file_.output) / file_.name),
        runner_({.folder = folder_, .quiet = options_.run.quiet}) {}

  void play() {
    std::vector<PlannedRun> candidates;
    for (const TuningGroup& group : groups_) {
      for (const TuningGroup::Candidate& candidate : group.candidates) candidates.push_back(candidate.run);
    }
    runner_.require_unchanged(candidates);
    if (groups_.empty()) runner_.require_unchanged(runs_);
    const std::vector<RunReport> tuned = runner_.carry_out(candidates, "tuning");
    std::vector<RunReport> reports = carry_out_main(choices(file_, groups_, tuned));
    publish(tabulate({file_, groups_, tuned, reports}));
  }

 private:
  std::vector<RunReport> carry_out_main(const std::vector<Choice>& choices) {
    std::vector<PlannedRun> ready;
    std::vector<RunReport> hopeless;
    for (const PlannedRun& run : runs_) {
      const auto choice = std::ranges::find_if(choices, [&](const Choice& each) { return each.group->holds(run); });
      if (choice == choices.end()) {
        ready.push_back(run);
      } else if (choice->settings) {
        ready.push_back(with_choice(run, *choice->settings));
      } else {
        hopeless.push_back(
            {run, {}, fmt::format("nothing to choose from: no tuning run of {} finished", choice->group->label())});
      }
    }
    if (!groups_.empty()) runner_.require_unchanged(ready);
    std::vector<RunReport> reports = runner_.carry_out(ready, "run");
    reports.insert(reports.end(), hopeless.begin(), hopeless.end());
    return reports;
  }

  void publish(const report::SweepTable& table) const {
    const std::string markdown = report::to_markdown(table), csv = report::to_csv(table);
    write_file_atomically(folder_ / "table.md", markdown);
    write_file_atomically(folder_ / "table.csv", csv);
    const std::string& also = options_.sweep.table;
    if (!also.empty()) write_file_atomically(also, also.ends_with(".csv") ? csv : markdown);
    if (!options_.run.quiet) fmt::print("\n{}\n{}\n", markdown, (folder_ / "table.md").string());
    if (table.failed.empty()) return;
    std::vector<std::string> names;
    names.reserve(table.failed.size());
    for (const report::FailedRun& run : table.failed) names.push_back(run.name);
    throw failed("{} of the sweep's runs failed: {}; the same command tries them again", names.size(),
                 fmt::join(names, ", "));
  }

  const Options& options_;
  SweepFile file_;
  std::vector<PlannedRun> runs_;
  std::vector<TuningGroup> groups_;
  fs::path folder_;
  SweepRunner runner_;
};

}  // namespace

void sweep_command(const CommandLine& line) {
  install_interrupt_handlers();
  require_table_format(line.options.sweep.table);
  Sweep sweep(line, sweep_of(line));
  try {
    sweep.play();
  } catch (const Interrupted&) {
    std::fflush(stdout);
    fmt::print(stderr, "fedtune: interrupted; go on with: {}\n", command_text(line));
    throw;
  }
}

}  // namespace fedtune::cli
