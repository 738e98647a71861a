#include "fedtune/data/split.h"

#include <filesystem>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/format/json_file.h"

namespace fedtune::data {
namespace {

using ::testing::ElementsAre;

RowRange range_of(const nlohmann::json& pair) {
  return {.begin = pair.at(0).get<std::int64_t>(), .end = pair.at(1).get<std::int64_t>()};
}

TEST(PercentSplit, CutsWhereTheDatasetsLibraryCuts) {
  const nlohmann::json expected =
      load_json(std::filesystem::path(FEDTUNE_SOURCE_DIR) / "tests/golden/percent_split.json");
  ASSERT_GT(expected.at("cases").size(), 10U);
  for (const nlohmann::json& entry : expected.at("cases")) {
    const PercentSplit split{.public_percent = entry.at("public_percent").get<int>(),
                             .num_clients = entry.at("clients").get<int>()};
    const auto rows = entry.at("rows").get<std::int64_t>();
    EXPECT_EQ(percent_to_row(split.public_percent, rows), range_of(entry.at("public")).end);
    for (int rank = 1; rank <= split.num_clients; ++rank) {
      EXPECT_EQ(client_rows(split, rank, rows), range_of(entry.at("shares").at(static_cast<std::size_t>(rank - 1))))
          << entry.dump() << " rank " << rank;
    }
  }
}

TEST(PercentSplit, RoundsHalvesToTheEvenRow) {
  EXPECT_EQ(percent_to_row(25, 10), 2);  // 2.5
  EXPECT_EQ(percent_to_row(35, 10), 4);  // 3.5
  EXPECT_EQ(percent_to_row(50, 3), 2);   // 1.5
}

TEST(EqualCounts, DifferByAtMostOne) {
  EXPECT_THAT(equal_counts(4, 10), ElementsAre(2, 3, 2, 3));
}

TEST(LargestRemainder, UsesEveryRowOnce) {
  const std::vector<double> weights{0.5, 0.25, 0.25};
  EXPECT_THAT(largest_remainder(weights, 8), ElementsAre(4, 2, 2));
  EXPECT_THAT(largest_remainder(weights, 3), ElementsAre(1, 1, 1));  // 1.5, 0.75, 0.75
  EXPECT_THAT(largest_remainder(weights, 1), ElementsAre(1, 0, 0));
}

TEST(LargestRemainder, GivesTheFirstOfEqualRemaindersMore) {
  const std::vector<double> weights(3, 1.0 / 3.0);
  EXPECT_THAT(largest_remainder(weights, 4), ElementsAre(2, 1, 1));
}

TEST(LargestRemainder, SumsUpDespiteRounding) {
  for (int parts = 1; parts < 60; ++parts) {
    const std::vector<double> weights(static_cast<std::size_t>(parts), 1.0 / parts);
    for (const std::int64_t rows : {0, 1, 7, 1000, 67349}) {
      const auto counts = largest_remainder(weights, rows);
      EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}), rows);
    }
  }
}

}  // namespace
}  // namespace fedtune::data
