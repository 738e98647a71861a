#include "fedtune/cli/sweep/plan.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/cli/option_table.h"

namespace fedtune::cli {
namespace {

// How a number is announced in a name; words speak for themselves.
std::string prefix(std::string_view option) {
  if (option == "client-lr") return "lr";
  if (option == "lora-r") return "r";
  if (option == "teacher-data-pct") return "public";
  return std::string(option);
}

// "1e-3" for 0.001, "0.5" for 0.5.
std::string short_number(double value) {
  const std::string plain = fmt::format("{}", value);
  std::string exponent = fmt::format("{:e}", value);
  const std::size_t e = exponent.find('e');
  std::string digits = exponent.substr(0, e);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.ends_with('.')) digits.pop_back();
  exponent = fmt::format("{}e{}", digits, std::stoi(exponent.substr(e + 1)));
  return exponent.size() < plain.size() ? exponent : plain;
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '+';
}

std::string name_part(const Setting& setting) {
  double number = 0.0;
  const char* end = setting.value.data() + setting.value.size();
  if (const auto parsed = std::from_chars(setting.value.data(), end, number); parsed.ptr == end) {
    const bool fraction = setting.value.find_first_of(".e") != std::string::npos;
    return prefix(setting.option) + (fraction ? short_number(number) : setting.value);
  }
  if (setting.value == "true" || setting.value == "false") {
    return fmt::format("{}{}", setting.value == "true" ? "" : "no-", setting.option);
  }
  // Of a path, what stands last.
  std::string part = std::filesystem::path(setting.value).filename().string();
  std::ranges::replace_if(part, [](char c) { return !is_plain(c); }, '-');
  return part.empty() ? setting.option : part;
}

// The seed stands last.
std::string run_name(const PlannedRun& run, std::size_t named_by_case) {
  std::vector<std::string> parts, last;
  if (!run.case_name.empty()) parts.push_back(run.case_name);
  for (std::size_t i = named_by_case; i < run.settings.size(); ++i) {
    (run.settings[i].option == "seed" ? last : parts).push_back(name_part(run.settings[i]));
  }
  parts.insert(parts.end(), last.begin(), last.end());
  return parts.empty() ? "run" : fmt::format("{}", fmt::join(parts, "-"));
}

void set(PlannedRun& run, const Setting& setting) {
  run.values[setting.option] = {setting.value};
  run.settings.push_back(setting);
}

// Every combination of the axes added to each of the runs.
std::vector<PlannedRun> product(std::vector<PlannedRun> runs, std::span<const Axis> axes) {
  for (const Axis& axis : axes) {
    std::vector<PlannedRun> more;
    for (const PlannedRun& run : runs) {
      for (const std::string& value : axis.values) set(more.emplace_back(run), {axis.option, value});
    }
    runs = std::move(more);
  }
  return runs;
}

void require_distinct(std::span<const PlannedRun> runs) {
  std::set<std::string> names;
  for (const PlannedRun& run : runs) {
    if (run.name.find('/') != std::string::npos || run.name.starts_with('.')) {
      throw usage_error("the case name '{}' cannot name a folder; leave out '/' and a leading dot", run.case_name);
    }
    if (!names.insert(run.name).second) {
      throw usage_error("two runs would be called {}; make them [[case]] tables, each with a name of its own",
                        run.name);
    }
  }
}

}  // namespace

std::string PlannedRun::value(std::string_view option) const {
  if (const auto found = values.find(option); found != values.end()) {
    return fmt::format("{}", fmt::join(found->second, ","));
  }
  static const Options defaults;
  return value_text(find_option(option)->get(defaults));
}

std::vector<PlannedRun> plan_runs(const SweepFile& sweep) {
  std::vector<PlannedRun> plan;
  const std::vector<Case> cases = sweep.cases.empty() ? std::vector<Case>{{}} : sweep.cases;
  for (const Case& one : cases) {
    PlannedRun start{.name = {}, .case_name = one.name, .settings = {}, .values = sweep.common};
    for (const Axis& option : one.options) set(start, {option.option, option.values.front()});
    const std::size_t named_by_case = one.name.empty() ? 0 : start.settings.size();
    for (PlannedRun& run : product({start}, sweep.axes)) {
      run.name = run_name(run, named_by_case);
      plan.push_back(std::move(run));
    }
  }
  require_distinct(plan);
  return plan;
}

bool TuningGroup::holds(const PlannedRun& run) const {
  return std::ranges::all_of(key, [&](const Setting& each) { return run.value(each.option) == each.value; });
}

std::string TuningGroup::label() const {
  std::vector<std::string> parts;
  parts.reserve(key.size());
  for (const Setting& each : key) parts.push_back(name_part(each));
  return parts.empty() ? "all" : fmt::format("{}", fmt::join(parts, "-"));
}

std::vector<TuningGroup> plan_tuning(const SweepFile& sweep, std::span<const PlannedRun> runs) {
  std::vector<TuningGroup> groups;
  if (!sweep.tuning) return groups;
  for (const PlannedRun& first : runs) {
    if (std::ranges::any_of(groups, [&](const TuningGroup& group) { return group.holds(first); })) continue;
    TuningGroup group;
    for (const std::string& option : sweep.tuning->per) group.key.push_back({option, first.value(option)});
    PlannedRun start{.name = {}, .case_name = {}, .settings = {}, .values = first.values};
    for (const auto& [option, texts] : sweep.tuning->overrides) start.values[option] = texts;
    for (PlannedRun& run : product({start}, sweep.tuning->candidates)) {
      run.name = fmt::format("tune-{}-{}", group.label(), run_name(run, 0));
      std::vector<Setting> choice = run.settings;
      group.candidates.push_back({std::move(run), std::move(choice)});
    }
    groups.push_back(std::move(group));
  }
  std::vector<PlannedRun> all(runs.begin(), runs.end());
  for (const TuningGroup& group : groups) {
    for (const TuningGroup::Candidate& candidate : group.candidates) all.push_back(candidate.run);
  }
  require_distinct(all);
  return groups;
}

PlannedRun with_choice(PlannedRun run, std::span<const Setting> choice) {
  std::vector<std::string> chosen;
  for (const Setting& setting : choice) {
    set(run, setting);
    chosen.push_back(name_part(setting));
  }
  const std::string text = fmt::format("-{}", fmt::join(chosen, "-"));
  const std::size_t seed = run.name.rfind("-seed");
  run.name.insert(seed == std::string::npos ? run.name.size() : seed, text);
  return run;
}

std::string settings_text(std::span<const Setting> settings) {
  std::vector<std::string> parts;
  parts.reserve(settings.size());
  for (const Setting& each : settings) parts.push_back(fmt::format("{} {}", each.option, each.value));
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace fedtune::cli
