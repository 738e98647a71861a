#include "fedtune/cli/sweep/tabulate.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace fedtune::cli {
namespace {

std::string tuning_metric(const SweepFile& sweep) {
  return sweep.tuning ? sweep.tuning->metric : "";
}

double score_of(const std::string& metric, const report::Measures& measures) {
  return metric == "accuracy" ? measures.accuracy : measures.mcc;
}

// The index of the best of a group's reports; empty when none finished.
std::optional<std::size_t> best(const std::string& metric, std::span<const RunReport> reports) {
  std::optional<std::size_t> found;
  std::pair<double, double> best_rank;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const std::optional<report::Measures>& measures = reports[i].measures;
    if (!measures) continue;
    const std::pair rank(score_of(metric, *measures), -measures->loss);
    if (found && rank <= best_rank) continue;
    found = i;
    best_rank = rank;
  }
  return found;
}

// Calls body(group, its reports).
template <typename Body>
void for_each_group(std::span<const TuningGroup> groups, std::span<const RunReport> tuned, const Body& body) {
  for (const TuningGroup& group : groups) {
    body(group, tuned.first(group.candidates.size()));
    tuned = tuned.subspan(group.candidates.size());
  }
}

bool has_case_names(const SweepFile& sweep) {
  return std::ranges::any_of(sweep.cases, [](const Case& one) { return !one.name.empty(); });
}

// What the table's configuration is made of: every varied option but the seed, in the plan's order.
std::vector<std::string> varied_options(const SweepFile& sweep) {
  std::vector<std::string> options;
  const auto add = [&](const std::vector<Axis>& axes) {
    for (const Axis& axis : axes) {
      if (axis.option != "seed" && std::ranges::count(options, axis.option) == 0) options.push_back(axis.option);
    }
  };
  for (const Case& one : sweep.cases) add(one.options);
  add(sweep.axes);
  if (sweep.tuning) add(sweep.tuning->candidates);
  return options;
}

// Runs are compared across schemes within one setting: the axes that are neither scheme nor seed.
std::string setting_of(const SweepFile& sweep, const PlannedRun& run, bool across_cases) {
  std::vector<Setting> settings;
  for (const Axis& axis : sweep.axes) {
    if (axis.option != "scheme" && axis.option != "seed") settings.push_back({axis.option, run.value(axis.option)});
  }
  std::string text = settings_text(settings);
  if (across_cases || run.case_name.empty()) return text;
  return text.empty() ? run.case_name : fmt::format("{}, {}", run.case_name, text);
}

bool varies(const std::vector<Axis>& axes, const std::string& option) {
  return std::ranges::count(axes, option, &Axis::option) > 0;
}

// What a case without a name is called where cases are compared: its scheme, or its options where cases share a scheme.
std::string case_label(const SweepFile& sweep, const PlannedRun& run) {
  if (!run.case_name.empty()) return run.case_name;
  const auto has_scheme_of_run = [&](const Case& one) {
    const auto said = std::ranges::find(one.options, "scheme", &Axis::option);
    return said == one.options.end() || said->values.front() == run.value("scheme");
  };
  if (std::ranges::count_if(sweep.cases, has_scheme_of_run) < 2) return run.value("scheme");
  std::vector<Setting> settings = run.settings;
  std::erase_if(settings, [&](const Setting& setting) {
    return varies(sweep.axes, setting.option) || (sweep.tuning && varies(sweep.tuning->candidates, setting.option));
  });
  return settings_text(settings);
}

void add_measured(const SweepOutcome& outcome, const std::vector<std::string>& options,
                  std::vector<report::MeasuredRun>& measured) {
  const bool scheme_in_axes = varies(outcome.file.axes, "scheme");
  for (const RunReport& report : outcome.reports) {
    if (!report.measures) continue;
    const auto& measures = *report.measures;
    const PlannedRun& run = report.run;
    std::vector<std::string> configuration;
    if (has_case_names(outcome.file)) configuration.push_back(run.case_name);
    for (const std::string& option : options) configuration.push_back(run.value(option));
    measured.push_back({.configuration = std::move(configuration),
                        .seed = run.value("seed"),
                        .contender = scheme_in_axes ? run.value("scheme") : case_label(outcome.file, run),
                        .scheme = run.value("scheme"),
                        .setting = setting_of(outcome.file, run, !scheme_in_axes),
                        .measures = measures});
  }
}

void add_failures(std::span<const RunReport> reports, report::SweepTable& table) {
  for (const RunReport& report : reports) {
    if (!report.measures) table.failed.push_back({report.run.name, report.failure});
  }
}

}  // namespace

std::vector<Choice> choices(const SweepFile& sweep, std::span<const TuningGroup> groups,
                            std::span<const RunReport> tuned) {
  std::vector<Choice> made;
  for_each_group(groups, tuned, [&](const TuningGroup& group, std::span<const RunReport> reports) {
    const std::optional<std::size_t> index = best(tuning_metric(sweep), reports);
    made.push_back({.group = &group, .settings = {}});
    if (index) made.back().settings = group.candidates[*index].choice;
  });
  return made;
}

report::SweepTable tabulate(const SweepOutcome& outcome) {
  report::SweepTable table{.name = outcome.file.name};
  const std::vector<std::string> options = varied_options(outcome.file);
  if (has_case_names(outcome.file)) table.columns.emplace_back("case");
  table.columns.insert(table.columns.end(), options.begin(), options.end());

  std::vector<report::MeasuredRun> measured;
  add_measured(outcome, options, measured);
  table.rows = report::table_rows(measured);
  table.comparisons = report::compare_schemes(measured);
  table.tuning_metric = tuning_metric(outcome.file);
  for_each_group(outcome.groups, outcome.tuned, [&](const TuningGroup& group, std::span<const RunReport> reports) {
    const std::optional<std::size_t> chosen = best(table.tuning_metric, reports);
    for (std::size_t i = 0; i < reports.size(); ++i) {
      const auto& measures = reports[i].measures;
      table.tuning.push_back(
          {.group = group.label(),
           .value = settings_text(group.candidates[i].choice),
           .score = measures ? fmt::format("{:.4f}", score_of(table.tuning_metric, *measures)) : "failed",
           .chosen = chosen == i});
    }
  });
  add_failures(outcome.tuned, table);
  add_failures(outcome.reports, table);
  return table;
}

}  // namespace fedtune::cli
