#include "fedtune/aggregate/weighted_mean.h"

#include <algorithm>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/aggregate/test_tensors.h"
#include "fedtune/base/error.h"
#include "fedtune/base/flush_denormals.h"
#include "fedtune/base/random.h"
#include "fedtune/format/tensor_hash.h"

namespace fedtune::aggregate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

NamedTensors pair_of(float x, float y) {
  return test_tensors({{"a", {1}, {x}}, {"b", {2, 1}, {y, -y}}});
}

NamedTensors random_tensors(std::uint32_t rank) {
  RandomStream stream({.seed = 1, .rank = rank});
  std::vector<float> values(10'000);
  for (float& value : values) value = static_cast<float>(stream.normal());
  return test_tensors({{"w", {100, 100}, values}});
}

std::string error_of(std::span<const Contribution> contributions) {
  try {
    weighted_mean(contributions);
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "expected an error";
  return "";
}

TEST(WeightedMean, WeighsEachContributionByItsShare) {
  const NamedTensors one = pair_of(1, 10), two = pair_of(5, 20);
  const std::vector<Contribution> contributions{{1, 3.0, &one}, {2, 1.0, &two}};
  const NamedTensors mean = weighted_mean(contributions);
  EXPECT_EQ(layout_of(mean), layout_of(one));
  EXPECT_THAT(mean.find("a")->f32(), ElementsAre(2.0f));
  EXPECT_THAT(mean.find("b")->f32(), ElementsAre(12.5f, -12.5f));
}

TEST(WeightedMean, OfOneContributionIsThatContribution) {
  const NamedTensors only = random_tensors(1);
  EXPECT_EQ(final_sha256(weighted_mean(std::vector<Contribution>{{1, 0.1, &only}})), final_sha256(only));
}

TEST(WeightedMean, HasTheSameBitsInAnyOrderOfArrival) {
  std::vector<NamedTensors> tensors;
  for (std::uint32_t rank = 1; rank <= 4; ++rank) tensors.push_back(random_tensors(rank));
  std::vector<int> order{0, 1, 2, 3};
  std::string expected;
  do {
    std::vector<Contribution> contributions;
    for (const int k : order) {
      contributions.push_back({k + 1, 1.0 + 0.1 * k, &tensors[static_cast<std::size_t>(k)]});
    }
    const std::string hash = final_sha256(weighted_mean(contributions));
    if (expected.empty()) expected = hash;
    EXPECT_EQ(hash, expected);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(WeightedMean, HasTheSameBitsForAnyNumberOfWorkers) {
  RandomStream stream({.seed = 1});
  std::vector<NamedTensors> tensors;
  for (int rank = 1; rank <= 3; ++rank) {
    std::vector<float> values(150'000);  // more than one block
    for (float& value : values) value = static_cast<float>(stream.normal());
    for (std::size_t i = 0; i < values.size(); i += 7) values[i] = 1e-39f;  // subnormal
    tensors.push_back(test_tensors({{"v", {3}, {1, 2, 3}}, {"w", {150, 1000}, values}}));
  }
  const std::vector<Contribution> contributions{{1, 1.0, &tensors[0]}, {2, 2.0, &tensors[1]}, {3, 3.0, &tensors[2]}};
  const FlushDenormals as_a_run_has_it;
  const NamedTensors mean = weighted_mean(contributions);
  const double last = (tensors[0].find("w")->f32().back() + 2.0 * tensors[1].find("w")->f32().back() +
                       3.0 * tensors[2].find("w")->f32().back()) /
                      6.0;
  EXPECT_NEAR(mean.find("w")->f32().back(), last, 1e-6);
  for (const int workers : {2, 3, 8}) {
    EXPECT_EQ(final_sha256(weighted_mean(contributions, workers)), final_sha256(mean)) << workers;
  }
}

TEST(WeightedMean, RoundsOnlyOnce) {
  // In single precision 1 + 2^-24 would be lost before the second addition.
  const NamedTensors one = test_tensors({{"a", {1}, {1.0f}}}), tiny = test_tensors({{"a", {1}, {0x1p-23f}}});
  const std::vector<Contribution> contributions{{1, 1.0, &one}, {2, 1.0, &tiny}, {3, 1.0, &tiny}, {4, 1.0, &tiny}};
  EXPECT_EQ(weighted_mean(contributions).find("a")->f32()[0], static_cast<float>((1.0 + 3 * 0x1p-23) / 4.0));
}

TEST(WeightedMean, OfLargeWeightsDoesNotOverflow) {
  const NamedTensors one = pair_of(1, 10), two = pair_of(3, 20);
  const std::vector<Contribution> contributions{{1, 1e15, &one}, {2, 1e15, &two}};
  EXPECT_THAT(weighted_mean(contributions).find("a")->f32(), ElementsAre(2.0f));
}

TEST(WeightedMean, NeedsAContribution) {
  EXPECT_THAT(error_of({}), HasSubstr("no contribution"));
}

TEST(WeightedMean, RefusesARankTwice) {
  const NamedTensors one = pair_of(1, 10);
  EXPECT_THAT(error_of(std::vector<Contribution>{{2, 1.0, &one}, {2, 1.0, &one}}),
              HasSubstr("rank 2 contributes twice"));
}

TEST(WeightedMean, RefusesWeightsThatAreNotPositiveAndFinite) {
  const NamedTensors one = pair_of(1, 10);
  for (const double weight : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")}) {
    EXPECT_THAT(error_of(std::vector<Contribution>{{1, weight, &one}}), HasSubstr("expected one above 0"));
  }
}

TEST(WeightedMean, RefusesLayoutsThatDiffer) {
  const NamedTensors one = pair_of(1, 10), other = test_tensors({{"a", {1}, {1}}, {"b", {1, 2}, {1, 2}}});
  EXPECT_THAT(error_of(std::vector<Contribution>{{1, 1.0, &one}, {2, 1.0, &other}}), HasSubstr("rank 2"));
}

}  // namespace
}  // namespace fedtune::aggregate
