// A run as a report reads it: its results where it has finished, and what its events say of every round.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fedtune/report/results.h"

namespace fedtune::report {

// A contribution that entered a mean.
struct Contribution {
  int rank = 0;
  double share = 0.0;   // its part of the mean
  double norm = 0.0;    // L2 of what it changed
  double cosine = 0.0;  // of the angle between its change and the mean's
};

struct Exclusion {
  int rank = 0;
  std::string reason;
};

struct LayerError {
  std::string layer;
  double relative = 0.0;  // of averaging A and B apart: see aggregate/lora_error.h
};

// What only the events know of a round.
struct RoundDetail {
  int round = 0;
  std::vector<int> cohort{};  // ranks asked
  std::vector<Contribution> contributions{};
  std::vector<Exclusion> excluded{};
  std::vector<LayerError> averaging_errors{};
};

struct RunRecord {
  std::string name;
  std::filesystem::path folder;
  bool finished = false;
  int rounds_planned = 0;
  RunResults results;  // what there is of them where the run has not finished
  std::vector<RoundDetail> details;
  std::vector<std::string> remarks;  // what a reader should know: not finished, damaged, of an older version
};

// `folder` holds a run. A run that has not finished, or whose event log is damaged, is read as far as it goes, and its
// remarks say so. Throws Error(input) where there is no run, no round was recorded, or results.json is damaged.
RunRecord load_run(const std::filesystem::path& folder);

// From what would lie in the folder: `results` as to_json writes it, null where the run has not finished; `events` the
// lines of events.jsonl.
struct RunFiles {
  std::filesystem::path folder;
  nlohmann::json results;
  std::string_view events;
};
RunRecord run_record(const RunFiles& files);

}  // namespace fedtune::report
