#include "fedtune/aggregate/contribution_change.h"

#include <cmath>

#include <gtest/gtest.h>

#include "fedtune/aggregate/test_tensors.h"
#include "fedtune/base/error.h"

namespace fedtune::aggregate {
namespace {

NamedTensors tensors(std::vector<float> first, std::vector<float> second) {
  return test_tensors({{"a", {2}, std::move(first)}, {"b", {1}, std::move(second)}});
}

TEST(ContributionChange, IsTheDistanceFromTheGlobalTensorsAndTheAngleToTheMean) {
  const NamedTensors global = tensors({1, 1}, {1});
  const NamedTensors one = tensors({4, 1}, {5});   // change (3, 0, 4)
  const NamedTensors two = tensors({1, 13}, {1});  // change (0, 12, 0)
  const std::vector<Contribution> offered{{2, 3.0, &two}, {1, 1.0, &one}};
  const NamedTensors mean = weighted_mean(offered);  // change (0.75, 9, 1)
  const auto changes = contribution_changes(offered, {global, mean});
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].rank, 1);
  EXPECT_DOUBLE_EQ(changes[0].share, 0.25);
  EXPECT_DOUBLE_EQ(changes[0].norm, 5.0);
  const double mean_norm = std::sqrt(0.75 * 0.75 + 81.0 + 1.0);
  EXPECT_NEAR(changes[0].cosine, (3 * 0.75 + 4 * 1) / (5 * mean_norm), 1e-12);
  EXPECT_DOUBLE_EQ(changes[1].norm, 12.0);
  EXPECT_NEAR(changes[1].cosine, 9 / mean_norm, 1e-12);
}

TEST(ContributionChange, OfAClientThatChangedNothingIsZeroWithoutAnAngle) {
  const NamedTensors global = tensors({1, 2}, {3});
  const std::vector<Contribution> offered{{1, 1.0, &global}};
  const auto changes = contribution_changes(offered, {global, global});
  EXPECT_EQ(changes[0].norm, 0.0);
  EXPECT_EQ(changes[0].cosine, 0.0);
}

TEST(ContributionChange, IsTheSameForAnyNumberOfWorkers) {
  const NamedTensors global = tensors({1, 2}, {3});
  std::vector<NamedTensors> sent;
  for (int k = 1; k <= 5; ++k) sent.push_back(tensors({0.1f * k, 2}, {3.3f - k}));
  std::vector<Contribution> offered;
  for (int rank = 5; rank >= 1; --rank) offered.push_back({rank, 1.0 * rank, &sent[rank - 1]});
  const NamedTensors mean = weighted_mean(offered);
  const auto expected = contribution_changes(offered, {global, mean});
  const auto changes = contribution_changes(offered, {global, mean}, 3);
  ASSERT_EQ(changes.size(), 5u);
  for (std::size_t k = 0; k < changes.size(); ++k) {
    EXPECT_EQ(changes[k].rank, static_cast<int>(k) + 1);
    EXPECT_EQ(changes[k].norm, expected[k].norm);
    EXPECT_EQ(changes[k].cosine, expected[k].cosine);
  }
}

TEST(ContributionChange, RefusesTensorsOfAnotherLayout) {
  const NamedTensors global = tensors({1, 2}, {3});
  const NamedTensors other = test_tensors({{"a", {2}, {1, 2}}});
  const std::vector<Contribution> offered{{1, 1.0, &global}};
  EXPECT_THROW(contribution_changes(offered, {other, global}), Error);
}

}  // namespace
}  // namespace fedtune::aggregate
