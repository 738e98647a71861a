// The runs of one report, grouped: what differs in nothing but its seed is one contender.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "fedtune/report/page/line_chart.h"
#include "fedtune/report/page/run_record.h"

namespace fedtune::report {

struct Group {
  std::string label;        // at the ends of lines: short
  std::string description;  // what sets it apart from the others, in full: its scheme and the study's distinctions
  int look = 0;
  std::vector<const RunRecord*> runs{};  // at least one
};

// Keeps the runs; groups point into them.
class Study {
 public:
  // At least one run.
  explicit Study(std::vector<RunRecord> runs);
  Study(const Study&) = delete;
  Study& operator=(const Study&) = delete;

  std::span<const RunRecord> runs() const { return runs_; }
  std::span<const Group> groups() const { return groups_; }
  // Options beside the scheme whose values set the groups apart, with underscores.
  std::span<const std::string> distinctions() const { return distinctions_; }
  bool is_one_run() const { return runs_.size() == 1; }
  bool has_teacher() const;

 private:
  std::vector<RunRecord> runs_;
  std::vector<Group> groups_;
  std::vector<std::string> distinctions_;
};

using Measure = std::function<double(const RoundMetrics&)>;

// Means over a group's runs of each round that all of them have, with the lowest and the highest as the band where
// there are several.
std::vector<Point> series(const Group& group, const Measure& measure);
// The same of a value of each round that is no score; NaN where a run has none.
std::vector<Point> series(const Group& group, const std::vector<int>& rounds,
                          const std::function<double(const RunRecord&, int round)>& value);

// The last round's value of each run, in the order of the group's runs.
std::vector<double> last_values(const Group& group, const Measure& measure);

// Config values as people type them.
std::string config_value(const RunRecord& run, const std::string& key);
// Whether the run's scheme reads the option.
bool reads(const RunRecord& run, const std::string& key);

}  // namespace fedtune::report
