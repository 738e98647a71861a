// A sweep as its TOML file says it; docs/sweep.md is the manual.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fedtune/cli/command_line.h"

namespace fedtune::cli {

// A varied option and the values it takes, as the command line would have them.
struct Axis {
  std::string option;
  std::vector<std::string> values;
};

// Options that belong together: one value of an axis of its own.
struct Case {
  std::string name;           // empty: named by its values
  std::vector<Axis> options;  // one value each
};

struct Tuning {
  std::vector<Axis> candidates;
  RawValues overrides;           // of the tuning runs alone; tune-slice is always there
  std::vector<std::string> per;  // options: one choice for each combination of their values
  std::string metric;            // "mcc" or "accuracy"
};

struct SweepFile {
  std::string name;
  std::string output;  // the root folder; empty: not said
  RawValues common;
  std::vector<Axis> axes;
  std::vector<Case> cases;
  std::optional<Tuning> tuning;
};

// Throws Error(usage) naming file and line for bad TOML, unknown keys (with the nearest), values that an option
// refuses, an option that cannot change a result, and one that is varied in two places.
SweepFile read_sweep(const std::filesystem::path& path);

}  // namespace fedtune::cli
