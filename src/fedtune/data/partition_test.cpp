#include "fedtune/data/partition.h"

#include <algorithm>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/testing.h"

namespace fedtune::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Two thirds of the rows have label 1.
Sentences rows(std::size_t count) {
  Sentences sentences(count);
  for (std::size_t i = 0; i < count; ++i) sentences[i] = {.text = "row", .label = i % 3 == 0 ? 0 : 1};
  return sentences;
}

std::vector<std::size_t> sizes(const Partition& result) {
  std::vector<std::size_t> counts(result.clients.size());
  std::ranges::transform(result.clients, counts.begin(), [](const auto& share) { return share.size(); });
  return counts;
}

void expect_every_row_once(const Partition& result, std::size_t count) {
  std::vector<std::uint32_t> all = result.public_share;
  for (const auto& share : result.clients) {
    EXPECT_TRUE(std::is_sorted(share.begin(), share.end()));
    all.insert(all.end(), share.begin(), share.end());
  }
  std::sort(all.begin(), all.end());
  std::vector<std::uint32_t> expected(count);
  std::iota(expected.begin(), expected.end(), 0U);
  EXPECT_EQ(all, expected);
}

std::string refusal_of(std::size_t count, const PartitionOptions& options, ErrorKind kind) {
  return error_of([&] { partition(rows(count), options); }, kind);
}

class EveryKind : public ::testing::TestWithParam<PartitionKind> {};

TEST_P(EveryKind, UsesEveryRowOnce) {
  for (const int percent : {0, 20, 33}) {
    const auto train = rows(997);
    expect_every_row_once(partition(train, {.kind = GetParam(), .num_clients = 7, .public_percent = percent}), 997);
  }
}

TEST_P(EveryKind, CutsThePublicShareFirst) {
  const Partition result = partition(rows(1000), {.kind = GetParam()});
  EXPECT_EQ(result.public_share.size(), 200U);
  EXPECT_EQ(result.public_share.back(), 199U);
}

TEST_P(EveryKind, GivesTheSameSharesAgain) {
  const PartitionOptions options{.kind = GetParam(), .seed = 11};
  EXPECT_EQ(partition(rows(500), options).clients, partition(rows(500), options).clients);
}

TEST_P(EveryKind, NamesTheClientWhoseShareIsEmpty) {
  EXPECT_THAT(refusal_of(3, {.kind = GetParam(), .num_clients = 4, .public_percent = 0}, ErrorKind::input),
              HasSubstr("client"));
}

INSTANTIATE_TEST_SUITE_P(Partition, EveryKind,
                         ::testing::Values(PartitionKind::percent, PartitionKind::rows, PartitionKind::iid,
                                           PartitionKind::dirichlet, PartitionKind::quantity),
                         [](const auto& info) { return std::string(partition_name(info.param)); });

TEST(Partition, PercentIsTheDefaultAndTheReferences) {
  const Partition result = partition(rows(8551), {});
  EXPECT_EQ(result.kind, PartitionKind::percent);
  EXPECT_THAT(sizes(result), ElementsAre(1710, 1711, 1710, 1710));
  EXPECT_TRUE(result.notes.empty());
}

TEST(Partition, FallsBackToRowsForManyClientsAndSaysSo) {
  const Partition result = partition(rows(1000), {.num_clients = 81, .public_percent = 20});
  EXPECT_EQ(result.kind, PartitionKind::rows);
  ASSERT_EQ(result.notes.size(), 1U);
  EXPECT_THAT(result.notes[0], HasSubstr("81 clients are more than the 80 per cent"));
  EXPECT_EQ(partition(rows(1000), {.num_clients = 80, .public_percent = 20}).kind, PartitionKind::percent);
}

TEST(Partition, AnotherSeedGivesOtherShares) {
  for (const PartitionKind kind : {PartitionKind::iid, PartitionKind::dirichlet, PartitionKind::quantity}) {
    EXPECT_NE(partition(rows(500), {.kind = kind, .seed = 1}).clients,
              partition(rows(500), {.kind = kind, .seed = 2}).clients);
  }
}

TEST(Partition, IidSharesMixTheFile) {
  const Partition result = partition(rows(1000), {.kind = PartitionKind::iid, .num_clients = 2, .public_percent = 0});
  const auto low =
      std::count_if(result.clients[0].begin(), result.clients[0].end(), [](auto row) { return row < 500; });
  EXPECT_GT(low, 200);
  EXPECT_LT(low, 300);
}

// Spread of class 0's proportion between clients.
double label_spread(double alpha) {
  const auto train = rows(6000);
  double least = 1.0, most = 0.0;
  for (const auto& share : partition(train, {.kind = PartitionKind::dirichlet, .alpha = alpha}).clients) {
    const auto counts = count_labels(train, share, 2);
    const double proportion = static_cast<double>(counts[0]) / static_cast<double>(share.size());
    least = std::min(least, proportion);
    most = std::max(most, proportion);
  }
  return most - least;
}

TEST(Partition, ASmallAlphaSeparatesLabelsALargeOneDoesNot) {
  EXPECT_GT(label_spread(0.1), 0.4);
  EXPECT_LT(label_spread(1000.0), 0.1);
}

TEST(Partition, QuantitySharesDifferInSize) {
  const Partition result = partition(rows(6000), {.kind = PartitionKind::quantity, .alpha = 0.5});
  const auto counts = sizes(result);
  EXPECT_GT(*std::max_element(counts.begin(), counts.end()), 2 * *std::min_element(counts.begin(), counts.end()));
}

TEST(Partition, RedrawsUntilEachClientHasEnough) {
  for (const PartitionKind kind : {PartitionKind::dirichlet, PartitionKind::quantity}) {
    const Partition result = partition(rows(1000), {.kind = kind, .num_clients = 5, .alpha = 0.5, .min_share = 50});
    EXPECT_THAT(sizes(result), ::testing::Each(::testing::Ge(50U)));
  }
}

TEST(Partition, GivesUpOnAMinimumThatCannotBe) {
  const PartitionOptions options{.kind = PartitionKind::dirichlet, .num_clients = 4, .min_share = 30};
  EXPECT_THAT(refusal_of(100, options, ErrorKind::input), HasSubstr("fewer than --min-share 30"));
}

TEST(Partition, SurvivesAnAlphaNearZero) {
  const PartitionOptions options{
      .kind = PartitionKind::quantity, .num_clients = 1, .public_percent = 0, .alpha = 1e-300};
  EXPECT_THAT(sizes(partition(rows(10), options)), ElementsAre(10));
}

TEST(Partition, RefusesOptionsOutOfRange) {
  EXPECT_THAT(refusal_of(9, {.num_clients = 0}, ErrorKind::usage), HasSubstr("--num-clients 0"));
  EXPECT_THAT(refusal_of(9, {.public_percent = 100}, ErrorKind::usage), HasSubstr("--teacher-data-pct 100"));
  EXPECT_THAT(refusal_of(9, {.public_percent = -1}, ErrorKind::usage), HasSubstr("--teacher-data-pct -1"));
  EXPECT_THAT(refusal_of(9, {.alpha = 0.0}, ErrorKind::usage), HasSubstr("--alpha 0"));
  EXPECT_THAT(refusal_of(9, {.min_share = 0}, ErrorKind::usage), HasSubstr("--min-share 0"));
}

TEST(Partition, RefusesNoSentences) {
  EXPECT_THAT(refusal_of(0, {}, ErrorKind::input), HasSubstr("no sentences"));
}

TEST(Partition, KindsHaveNames) {
  EXPECT_EQ(partition_kind("dirichlet"), PartitionKind::dirichlet);
  EXPECT_THROW(partition_kind("fair"), Error);
}

TEST(Partition, CountsTheLabelsOfAShare) {
  const std::vector<std::uint32_t> share{0, 1, 2, 3};
  EXPECT_THAT(count_labels(rows(9), share, 3), ElementsAre(2, 2, 0));
}

}  // namespace
}  // namespace fedtune::data
