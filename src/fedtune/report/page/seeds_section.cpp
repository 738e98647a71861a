#include <algorithm>

#include <fmt/format.h>

#include "fedtune/report/page/measures.h"
#include "fedtune/report/page/sections.h"
#include "fedtune/report/statistics.h"

namespace fedtune::report {
namespace {

std::string signed_text(double value) {
  return fmt::format("{:+.4f}", value);
}

std::string mean_text(const Estimate& e) {
  return e.half_width ? fmt::format("{:.4f} \xc2\xb1 {:.4f}", e.mean, *e.half_width) : fmt::format("{:.4f}", e.mean);
}

// "0.7883 (seed 1)", one cell for each run.
std::string each_text(const Group& group, const Measure& measure) {
  std::string text;
  for (const RunRecord* run : group.runs) {
    text += fmt::format("{}{:.4f} (seed {})", text.empty() ? "" : ", ", measure(run->results.metrics.back()),
                        run->results.seed);
  }
  return text;
}

Table means(const Study& study) {
  Table table{.caption = "Last round, mean over the seeds with half the 95 % interval",
              .columns = {"contender", "accuracy", "MCC", "accuracy of each", "MCC of each"}};
  for (const Group& group : study.groups()) {
    table.rows.push_back({group.label, mean_text(estimate(last_values(group, accuracy))),
                          mean_text(estimate(last_values(group, mcc))), each_text(group, accuracy),
                          each_text(group, mcc)});
  }
  return table;
}

// Runs of two groups with equal seeds, the first of each.
std::vector<Pair> pairs(const Group& first, const Group& second, const Measure& measure) {
  std::vector<Pair> list;
  std::vector<std::uint64_t> seen;
  for (const RunRecord* a : first.runs) {
    if (std::find(seen.begin(), seen.end(), a->results.seed) != seen.end()) continue;
    for (const RunRecord* b : second.runs) {
      if (a->results.seed != b->results.seed) continue;
      seen.push_back(a->results.seed);
      list.push_back({measure(a->results.metrics.back()), measure(b->results.metrics.back())});
      break;
    }
  }
  return list;
}

std::string difference_text(const PairedTest& test) {
  return fmt::format("{} \xc2\xb1 {:.4f}, p {:.3f}", signed_text(test.difference.mean),
                     test.difference.half_width.value_or(0.0), test.p);
}

Table comparisons(const Study& study) {
  Table table{.caption = "Paired over equal seeds: second less first, half the 95 % interval, p of the paired t-test",
              .columns = {"first, second", "seeds", "accuracy", "MCC"}};
  const auto groups = study.groups();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (std::size_t j = i + 1; j < groups.size(); ++j) {
      const std::vector<Pair> accuracies = pairs(groups[i], groups[j], accuracy);
      if (accuracies.size() < 2) continue;
      table.rows.push_back({fmt::format("{}, {}", groups[i].label, groups[j].label), std::to_string(accuracies.size()),
                            difference_text(paired_t_test(accuracies)),
                            difference_text(paired_t_test(pairs(groups[i], groups[j], mcc)))});
    }
  }
  return table;
}

}  // namespace

std::string seeds_section(const Study& study) {
  bool several = false;
  for (const Group& group : study.groups()) several = several || group.runs.size() > 1;
  if (!several) return "";
  const Table tests = comparisons(study);
  std::string body = to_html(means(study));
  if (!tests.rows.empty()) body += to_html(tests);
  return to_html(Section{
      .id = "seeds",
      .title = "Over the seeds",
      .lead = "Intervals by Student's t distribution. Few seeds make wide ones, and nothing corrects p for the number "
              "of comparisons.",
      .body = body});
}

}  // namespace fedtune::report
