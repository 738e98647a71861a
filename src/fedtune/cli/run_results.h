// From a finished run to what is written and printed about it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fedtune/cli/federation.h"
#include "fedtune/cli/options.h"
#include "fedtune/fed/engine.h"
#include "fedtune/report/results.h"
#include "fedtune/report/units.h"

namespace fedtune::cli {

struct FinishedRun {
  const Options& options;
  const Federation& federation;
  const fed::RunOutcome& outcome;
  std::vector<report::Control> controls;
  double elapsed_seconds = 0.0;
};

report::RunResults results_of(const FinishedRun& run);
// What of them is known before the first round.
report::RunResults opening_of(const Options& options, const Federation& federation);

// Every stored option under its name with underscores; paths as shown_path.h has them.
nlohmann::ordered_json config_json(const Options& options);

// What is printed at the end: scores beside the majority baseline, bytes, time, hash, where things lie.
struct RunSummary {
  std::size_t last_cohort = 1;    // clients asked in the last round
  std::filesystem::path trained;  // the adapter's folder, or the model's
  std::filesystem::path results;
};
std::string summary_text(const report::RunResults& results, const RunSummary& run);

using report::bytes_text;

}  // namespace fedtune::cli
