// From what the runs of a sweep reached to choices and to the table.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "fedtune/cli/sweep/runner.h"

namespace fedtune::cli {

struct Choice {
  const TuningGroup* group = nullptr;
  std::optional<std::vector<Setting>> settings;  // unset: no candidate finished
};

// For each group the candidate with the best Tuning::metric; of equals the one with the lower loss, then the first.
// `tuned` holds one report per candidate, in order.
std::vector<Choice> choices(const SweepFile& sweep, std::span<const TuningGroup> groups,
                            std::span<const RunReport> tuned);

struct SweepOutcome {
  const SweepFile& file;
  std::span<const TuningGroup> groups;
  std::span<const RunReport> tuned;
  std::span<const RunReport> reports;
};
report::SweepTable tabulate(const SweepOutcome& outcome);

}  // namespace fedtune::cli
