#include "fedtune/report/sweep_table.h"

#include <algorithm>
#include <utility>

namespace fedtune::report {
namespace {

// The distinct values of a key, in the order of their first run.
template <typename Key>
auto distinct(std::span<const MeasuredRun> runs, const Key& key) {
  std::vector<std::decay_t<decltype(key(runs.front()))>> values;
  for (const MeasuredRun& run : runs) {
    if (std::ranges::count(values, key(run)) == 0) values.push_back(key(run));
  }
  return values;
}

std::vector<double> column(std::span<const Measures> measures, double Measures::*which) {
  std::vector<double> values;
  values.reserve(measures.size());
  for (const Measures& each : measures) values.push_back(each.*which);
  return values;
}

TableRow row_of(const std::vector<std::string>& configuration, std::span<const Measures> measures) {
  const auto over_runs = [&](double Measures::*which) { return estimate(column(measures, which)); };
  const auto mean = [&](double Measures::*which) { return over_runs(which).mean; };
  TableRow row{.configuration = configuration,
               .accuracy = over_runs(&Measures::accuracy),
               .mcc = over_runs(&Measures::mcc),
               .loss = over_runs(&Measures::loss),
               .mean = {}};
  row.mean = {.accuracy = row.accuracy.mean,
              .mcc = row.mcc.mean,
              .loss = row.loss.mean,
              .majority = mean(&Measures::majority),
              .bytes = mean(&Measures::bytes),
              .seconds = mean(&Measures::seconds),
              .sentences_per_second = mean(&Measures::sentences_per_second)};
  return row;
}

using RunPairs = std::vector<std::pair<const MeasuredRun*, const MeasuredRun*>>;

// Runs of two contenders with the same setting and seed.
RunPairs pairs_of(std::span<const MeasuredRun> runs, const Comparison& comparison) {
  RunPairs pairs;
  for (const MeasuredRun& first : runs) {
    if (first.setting != comparison.setting || first.contender != comparison.first) continue;
    const auto second = std::ranges::find_if(runs, [&](const MeasuredRun& run) {
      return run.setting == first.setting && run.seed == first.seed && run.contender == comparison.second;
    });
    if (second != runs.end() && second->scheme != first.scheme) pairs.emplace_back(&first, &*second);
  }
  return pairs;
}

PairedTest test_of(const RunPairs& pairs, double Measures::*which) {
  std::vector<Pair> values;
  values.reserve(pairs.size());
  for (const auto& [first, second] : pairs) {
    values.push_back({.first = first->measures.*which, .second = second->measures.*which});
  }
  return paired_t_test(values);
}

}  // namespace

std::vector<TableRow> table_rows(std::span<const MeasuredRun> runs) {
  std::vector<TableRow> rows;
  for (const auto& configuration : distinct(runs, [](const MeasuredRun& run) { return run.configuration; })) {
    std::vector<Measures> measures;
    for (const MeasuredRun& run : runs) {
      if (run.configuration == configuration) measures.push_back(run.measures);
    }
    rows.push_back(row_of(configuration, measures));
  }
  return rows;
}

std::vector<Comparison> compare_schemes(std::span<const MeasuredRun> runs) {
  const auto contenders = distinct(runs, [](const MeasuredRun& run) { return run.contender; });
  std::vector<Comparison> comparisons;
  for (const std::string& setting : distinct(runs, [](const MeasuredRun& run) { return run.setting; })) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      for (std::size_t j = i + 1; j < contenders.size(); ++j) {
        Comparison comparison{
            .setting = setting, .first = contenders[i], .second = contenders[j], .accuracy = {}, .mcc = {}};
        const RunPairs pairs = pairs_of(runs, comparison);
        if (pairs.size() < 2) continue;
        comparison.accuracy = test_of(pairs, &Measures::accuracy);
        comparison.mcc = test_of(pairs, &Measures::mcc);
        comparisons.push_back(std::move(comparison));
      }
    }
  }
  return comparisons;
}

}  // namespace fedtune::report
