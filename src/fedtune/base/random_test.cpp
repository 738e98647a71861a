#include "fedtune/base/random.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace fedtune {
namespace {

// The known answers of Random123's kat_vectors for philox4x32 with 10 rounds.
TEST(Philox, MatchesThePublishedKnownAnswers) {
  EXPECT_EQ(philox({0, 0}, {0, 0, 0, 0}), (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({ones, ones}, {ones, ones, ones, ones}),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0xa4093822, 0x299f31d0}, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(PhiloxKey, ChangesWithEveryFieldOfThePlace) {
  const StreamKey place{.seed = 1, .purpose = Purpose::dropout, .round = 2, .rank = 3, .step = 4, .site = 5};
  std::vector<StreamKey> places(8, place);
  places[1].seed = 9;
  places[2].purpose = Purpose::shuffle;
  places[3].role = ModelRole::teacher;
  places[4].round = 9;
  places[5].rank = 9;
  places[6].step = 9;
  places[7].site = 9;
  std::set<PhiloxKey> keys;
  for (const StreamKey& key : places) keys.insert(philox_key(key));
  EXPECT_EQ(keys.size(), places.size());
}

TEST(PhiloxKey, DiffersBetweenNeighbouringPlaces) {
  std::set<PhiloxKey> keys;
  std::size_t places = 0;
  for (std::uint32_t rank = 0; rank < 20; ++rank) {
    for (std::uint32_t step = 0; step < 50; ++step) {
      for (std::uint32_t site = 0; site < 50; ++site, ++places) {
        keys.insert(philox_key({.rank = rank, .step = step, .site = site}));
      }
    }
  }
  EXPECT_EQ(keys.size(), places);
}

TEST(RandomStream, RepeatsItselfAtTheSamePlace) {
  RandomStream first({.seed = 7}), second({.seed = 7});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(first.bits(), second.bits());
}

TEST(RandomStream, IsUncorrelatedWithItsNeighbour) {
  RandomStream first({.seed = 7, .rank = 1}), second({.seed = 7, .rank = 2});
  constexpr int draws = 100'000;
  double product = 0.0;
  for (int i = 0; i < draws; ++i) product += (first.uniform() - 0.5) * (second.uniform() - 0.5);
  // The correlation of independent draws has a standard deviation of 1 / sqrt(draws).
  EXPECT_LT(std::abs(product / draws * 12.0), 5.0 / std::sqrt(draws));
}

struct Moments {
  double mean = 0.0;
  double variance = 0.0;
};

template <typename Draw>
Moments moments_of(int draws, Draw draw) {
  double sum = 0.0, squares = 0.0;
  for (int i = 0; i < draws; ++i) {
    const double value = draw();
    sum += value;
    squares += value * value;
  }
  const double mean = sum / draws;
  return {mean, squares / draws - mean * mean};
}

TEST(RandomStream, UniformStaysBelowOneAndHasItsMoments) {
  RandomStream stream({.seed = 1});
  const Moments moments = moments_of(200'000, [&] {
    const double value = stream.uniform();
    EXPECT_GE(value, 0.0);
    EXPECT_LT(value, 1.0);
    return value;
  });
  EXPECT_NEAR(moments.mean, 0.5, 0.004);
  EXPECT_NEAR(moments.variance, 1.0 / 12.0, 0.002);
}

TEST(RandomStream, NormalHasMeanZeroAndVarianceOne) {
  RandomStream stream({.seed = 2});
  const Moments moments = moments_of(200'000, [&] { return stream.normal(); });
  EXPECT_NEAR(moments.mean, 0.0, 0.012);
  EXPECT_NEAR(moments.variance, 1.0, 0.02);
}

TEST(RandomStream, GammaHasItsShapeAsMeanAndVariance) {
  for (const double shape : {0.1, 0.5, 1.0, 3.0}) {
    RandomStream stream({.seed = 3});
    const Moments moments = moments_of(200'000, [&] { return stream.gamma(shape); });
    EXPECT_NEAR(moments.mean, shape, 0.03 * std::max(shape, 0.3)) << shape;
    EXPECT_NEAR(moments.variance, shape, 0.06 * std::max(shape, 0.3)) << shape;
  }
}

TEST(RandomStream, BelowReachesEveryValueEquallyOften) {
  RandomStream stream({.seed = 4});
  std::array<int, 7> counts{};
  constexpr int draws = 70'000;
  for (int i = 0; i < draws; ++i) ++counts.at(stream.below(counts.size()));
  double chi_squared = 0.0;
  for (const int count : counts) chi_squared += std::pow(count - 10'000.0, 2) / 10'000.0;
  EXPECT_LT(chi_squared, 22.5);  // 6 degrees of freedom, p = 0.001
}

TEST(RandomStream, PermutationsAreUniform) {
  std::map<std::vector<std::uint32_t>, int> counts;
  RandomStream stream({.seed = 5});
  constexpr int draws = 24'000;
  for (int i = 0; i < draws; ++i) ++counts[stream.permutation(4)];
  ASSERT_EQ(counts.size(), 24u);
  double chi_squared = 0.0;
  for (const auto& [order, count] : counts) chi_squared += std::pow(count - 1'000.0, 2) / 1'000.0;
  EXPECT_LT(chi_squared, 49.7);  // 23 degrees of freedom, p = 0.001
}

TEST(RandomStream, APermutationHoldsEachIndexOnce) {
  RandomStream stream({.seed = 6});
  std::vector<std::uint32_t> order = stream.permutation(1000);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (std::uint32_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], i);
  EXPECT_TRUE(stream.permutation(0).empty());
}

}  // namespace
}  // namespace fedtune
