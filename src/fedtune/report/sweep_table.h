// From the runs of a sweep to its table: seeds grouped into means with intervals, schemes compared over equal seeds.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "fedtune/report/statistics.h"

namespace fedtune::report {

// What one finished run reached and cost; scores are those of its last round.
struct Measures {
  double accuracy = 0.0;
  double mcc = 0.0;
  double loss = 0.0;
  double majority = 0.0;  // accuracy of the most frequent label
  double bytes = 0.0;     // per client and round, up and down
  double seconds = 0.0;
  double sentences_per_second = 0.0;
};

struct MeasuredRun {
  std::vector<std::string> configuration;  // one cell per varied option, the seed left out
  std::string seed;
  std::string contender;  // what is compared with others: the scheme, or a case of one
  std::string scheme;
  std::string setting;  // runs are paired where this and the seed are equal
  Measures measures;
};

struct TableRow {
  std::vector<std::string> configuration;
  Estimate accuracy, mcc, loss;
  Measures mean;
};
// One row per configuration, in the order of the first run of each.
std::vector<TableRow> table_rows(std::span<const MeasuredRun> runs);

struct Comparison {
  std::string setting, first, second;  // contenders
  PairedTest accuracy, mcc;            // second less first
};
// Each two contenders of different schemes, wherever both have runs with the same two seeds or more.
std::vector<Comparison> compare_schemes(std::span<const MeasuredRun> runs);

// A run of the tuning stage.
struct TunedValue {
  std::string group;  // "fedlora"
  std::string value;  // "client-lr 0.001"
  std::string score;  // "0.713", "failed"
  bool chosen = false;
};

struct FailedRun {
  std::string name, reason;
};

struct SweepTable {
  std::string name{};
  std::vector<std::string> columns{};  // of the configuration
  std::vector<TableRow> rows{};
  std::vector<Comparison> comparisons{};
  std::string tuning_metric{};  // "mcc"
  std::vector<TunedValue> tuning{};
  std::vector<FailedRun> failed{};
};

// All of it, readable as it stands: columns are aligned.
std::string to_markdown(const SweepTable& table);
// The rows alone, in full precision (RFC 4180); intervals are empty for a single run.
std::string to_csv(const SweepTable& table);

}  // namespace fedtune::report
