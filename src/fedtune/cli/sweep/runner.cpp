#include "fedtune/cli/sweep/runner.h"

#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/cli/option_table.h"
#include "fedtune/cli/resume.h"
#include "fedtune/cli/run_folder.h"
#include "fedtune/cli/sweep/child.h"

namespace fedtune::cli {
namespace {

namespace fs = std::filesystem;

fs::path created(const fs::path& folder) {
  create_folders(folder);
  return folder;
}

CommandLine command_line_of(const RawValues& values) {
  CommandLine line;
  set_options(values, line.options);
  for (const auto& [name, texts] : values) line.given.insert(name);
  return line;
}

bool is_started(const fs::path& folder) {
  return fs::exists(folder / "config.toml");
}

// A run that was killed before it wrote a thing leaves an empty folder, whose name would count as used.
void forget_if_empty(const fs::path& folder) {
  if (!fs::is_directory(folder)) return;
  remove_temporary_files(folder);
  std::error_code not_empty;
  fs::remove(folder, not_empty);
}

}  // namespace

std::vector<std::string> arguments_of(const RawValues& values) {
  std::vector<std::string> arguments;
  for (const auto& [name, texts] : values) {
    if (find_option(name)->arity != Arity::flag) {
      arguments.push_back(fmt::format("--{}={}", name, fmt::join(texts, ",")));
    } else if (texts.front() == "true") {
      arguments.push_back(fmt::format("--{}", name));
    }
  }
  return arguments;
}

SweepRunner::SweepRunner(Setup setup) : setup_(std::move(setup)), lock_(created(setup_.folder)) {}

void SweepRunner::require_unchanged(std::span<const PlannedRun> runs) const {
  for (const PlannedRun& run : runs) {
    const fs::path folder = setup_.folder / run.name;
    if (!is_started(folder)) continue;
    with_context("the sweep was changed since; give it another --name, or remove the run's folder", [&] {
      resumed_options(command_line_of(run.values), RunFolder::open(setup_.folder, folder.string()));
    });
  }
}

RunReport SweepRunner::carry_out(const PlannedRun& run) const {
  RunReport report{.run = run, .measures = {}, .failure = {}};
  const fs::path folder = setup_.folder / run.name;
  if (!fs::exists(folder / "results.json")) {
    std::vector<std::string> arguments{"run"};
    if (is_started(folder)) {
      arguments.insert(arguments.end(), {"--resume", folder.string()});
    } else {
      forget_if_empty(folder);
      arguments.insert(arguments.end(), {"--output", setup_.folder.string(), "--name", run.name});
    }
    const std::vector<std::string> said = arguments_of(run.values);
    arguments.insert(arguments.end(), said.begin(), said.end());
    const ChildEnd end = run_child(arguments);
    throw_if_interrupted();
    if (!end.succeeded()) {
      report.failure = end.reason();
      return report;
    }
  }
  report.measures = read_measures(folder / "results.json");
  return report;
}

std::vector<RunReport> SweepRunner::carry_out(std::span<const PlannedRun> runs, std::string_view stage) const {
  std::vector<RunReport> reports;
  for (const PlannedRun& run : runs) {
    throw_if_interrupted();
    const bool finished = fs::exists(setup_.folder / run.name / "results.json");
    if (!setup_.quiet) {
      fmt::print("{} {}/{}: {}{}\n", stage, reports.size() + 1, runs.size(), run.name, finished ? " is finished" : "");
    }
    reports.push_back(carry_out(run));
    if (!reports.back().measures) {
      std::fflush(stdout);
      fmt::print(stderr, "fedtune: {} failed: {}\n", run.name, reports.back().failure);
    }
  }
  return reports;
}

}  // namespace fedtune::cli
