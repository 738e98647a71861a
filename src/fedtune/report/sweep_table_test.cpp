#include "fedtune/report/sweep_table.h"

#include <gmock/gmock.h>

namespace fedtune::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

MeasuredRun run(const std::string& scheme, const std::string& seed, double accuracy) {
  return {.configuration = {scheme, "8"},
          .seed = seed,
          .contender = scheme,
          .scheme = scheme,
          .setting = "lora-r 8",
          .measures = {.accuracy = accuracy, .mcc = 2 * accuracy - 1, .loss = 0.5, .majority = 0.6, .bytes = 1500}};
}

const std::vector<MeasuredRun> four_runs{run("fedavg", "1", 0.8), run("fedavg", "2", 0.9), run("fedlora", "2", 0.8),
                                         run("fedlora", "1", 0.6)};

TEST(SweepTable, GroupsSeedsInTheOrderOfTheirFirstRun) {
  const std::vector<TableRow> rows = table_rows(four_runs);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].configuration, (std::vector<std::string>{"fedavg", "8"}));
  EXPECT_EQ(rows[0].accuracy.count, 2);
  EXPECT_NEAR(rows[0].accuracy.mean, 0.85, 1e-12);
  EXPECT_NEAR(rows[1].mcc.mean, 0.4, 1e-12);
}

TEST(SweepTable, PairsRunsByTheirSeed) {
  const std::vector<Comparison> comparisons = compare_schemes(four_runs);
  ASSERT_EQ(comparisons.size(), 1u);
  const PairedTest& accuracy = comparisons[0].accuracy;
  EXPECT_EQ(comparisons[0].first, "fedavg");
  EXPECT_NEAR(accuracy.difference.mean, -0.15, 1e-12);
  EXPECT_NEAR(accuracy.difference.half_width.value_or(0.0), 12.7062 * 0.05, 1e-4);
}

TEST(SweepTable, ComparesNothingOverOneSeed) {
  EXPECT_TRUE(compare_schemes(std::vector<MeasuredRun>{four_runs[0], four_runs[2], four_runs[3]}).empty());
}

TEST(SweepTable, DoesNotCompareCasesOfOneScheme) {
  std::vector<MeasuredRun> runs = four_runs;
  for (MeasuredRun& each : runs) each.scheme = "fedlora";
  EXPECT_TRUE(compare_schemes(runs).empty());
}

TEST(SweepTable, AsMarkdownShowsIntervalsOnlyWhereThereAreSome) {
  SweepTable table{.name = "mine", .columns = {"scheme", "lora-r"}, .rows = table_rows(four_runs)};
  EXPECT_THAT(to_markdown(table), HasSubstr("| fedavg  | 8      | 2    | 0.8500 ± 0.6353 |"));
  EXPECT_THAT(to_markdown(table), HasSubstr("1.5 kB"));
  table.rows = table_rows(std::vector<MeasuredRun>{four_runs[0]});
  EXPECT_THAT(to_markdown(table), Not(HasSubstr("0.8000 ±")));
}

TEST(SweepTable, AsMarkdownNamesWhatWasTunedAndWhatFailed) {
  const SweepTable table{.tuning_metric = "mcc",
                         .tuning = {{.group = "fedlora", .value = "client-lr 0.1", .score = "0.3", .chosen = true}},
                         .failed = {{.name = "fedavg-seed1", .reason = "the loss is nan"}}};
  EXPECT_THAT(to_markdown(table), HasSubstr("| fedlora | client-lr 0.1 | 0.3 | chosen |"));
  EXPECT_THAT(to_markdown(table), HasSubstr("- fedavg-seed1: the loss is nan"));
}

TEST(SweepTable, AsCsvQuotesCellsAndLeavesMissingIntervalsEmpty) {
  MeasuredRun one = four_runs[0];
  one.configuration = {"query,value", ""};
  const SweepTable table{.columns = {"target-modules", "case"}, .rows = table_rows(std::vector<MeasuredRun>{one})};
  EXPECT_THAT(to_csv(table), HasSubstr("target-modules,case,runs,accuracy,accuracy_95,"));
  EXPECT_THAT(to_csv(table), HasSubstr("\n\"query,value\",,1,0.8,,"));
}

}  // namespace
}  // namespace fedtune::report
