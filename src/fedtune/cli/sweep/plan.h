// Which runs a sweep is made of, what each is called, and what its tuning stage chooses between.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "fedtune/cli/sweep/sweep_file.h"

namespace fedtune::cli {

struct Setting {
  std::string option;
  std::string value;  // as the command line would have it
};

struct PlannedRun {
  std::string name;  // of its folder: "fedlora-r8-lr1e-3-seed1"
  std::string case_name;
  std::vector<Setting> settings;  // what distinguishes it from the others, the case's first
  RawValues values;               // every option that is said

  // The value said, else the default.
  std::string value(std::string_view option) const;
};

// The cartesian product of cases and axes, in the file's order, the last axis varying fastest. Throws Error(usage) when
// two would have one name.
std::vector<PlannedRun> plan_runs(const SweepFile& sweep);

// The candidates for one combination of the values of Tuning::per.
struct TuningGroup {
  std::vector<Setting> key;
  struct Candidate {
    PlannedRun run;
    std::vector<Setting> choice;
  };
  std::vector<Candidate> candidates;

  bool holds(const PlannedRun& run) const;
  std::string label() const;  // "fedlora"
};

// Options that are varied but not in Tuning::per keep the values of the group's first run. Nothing without tuning.
std::vector<TuningGroup> plan_tuning(const SweepFile& sweep, std::span<const PlannedRun> runs);

// The run with what was chosen for it, renamed.
PlannedRun with_choice(PlannedRun run, std::span<const Setting> choice);

// "client-lr 0.001, lora-r 8"
std::string settings_text(std::span<const Setting> settings);

}  // namespace fedtune::cli
