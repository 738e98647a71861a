// Carries out planned runs, one after another; what is finished is not done again, what was cut short goes on.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fedtune/base/folder_lock.h"
#include "fedtune/cli/sweep/plan.h"
#include "fedtune/report/sweep_table.h"

namespace fedtune::cli {

struct RunReport {
  PlannedRun run;
  std::optional<report::Measures> measures;  // unset: failed
  std::string failure;
};

class SweepRunner {
 public:
  struct Setup {
    std::filesystem::path folder;  // of the runs; created where it is missing
    bool quiet = false;
  };
  // Throws Error(usage) when another process is at work on the sweep, Error(failed) for a folder that cannot be made.
  explicit SweepRunner(Setup setup);

  // Throws Error(usage), before anything is run, when a run that is there was made with other options.
  void require_unchanged(std::span<const PlannedRun> runs) const;
  // In order. A run that fails is said and reported; the next one follows. Throws Interrupted after the run at hand has
  // saved itself. `stage` is what the lines begin with: "tuning", "run".
  std::vector<RunReport> carry_out(std::span<const PlannedRun> runs, std::string_view stage) const;

 private:
  RunReport carry_out(const PlannedRun& run) const;

  Setup setup_;
  FolderLock lock_;
};

// Of the last round. Throws Error(input) for what is not the results of a run.
report::Measures read_measures(const std::filesystem::path& results);

// "--client-lr", "0.001", ...: flags that are false are left out.
std::vector<std::string> arguments_of(const RawValues& values);

}  // namespace fedtune::cli
