#include "fedtune/fed/measuring.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "fedtune/aggregate/test_tensors.h"
#include "fedtune/base/error.h"

namespace fedtune::fed {
namespace {

NamedTensors tensors_of(std::vector<float> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return test_tensors({{"a", {size}, std::move(values)}});
}

TEST(Measuring, GivesTheMeasuresInTheOrderOfTheContributions) {
  Measuring measuring(tensors_of({0, 0}));
  std::vector<NamedTensors> contributions;
  for (int i = 1; i <= 20; ++i) {
    contributions.push_back(tensors_of({3.0f * static_cast<float>(i), 4.0f * static_cast<float>(i)}));
    measuring.add(contributions.back());
  }
  const std::vector<aggregate::Measures> measures = measuring.finish();
  ASSERT_EQ(measures.size(), 20u);
  for (int i = 1; i <= 20; ++i) {
    const auto at = static_cast<std::size_t>(i - 1);
    EXPECT_EQ(measures[at].norm, 5.0 * i);
    EXPECT_EQ(measures[at].sha256, aggregate::measure(contributions[at], contributions[at]).sha256);
  }
}

TEST(Measuring, HoldsFewContributionsAtOnce) {
  const std::vector<float> values(200'000);
  Measuring measuring(tensors_of(values));
  std::vector<std::weak_ptr<const void>> added;
  for (int k = 0; k < 30; ++k) {
    NamedTensors contribution = tensors_of(values);
    added.push_back(contribution.owner);
    measuring.add(std::move(contribution));
    EXPECT_LE(std::ranges::count_if(added, [](const auto& owner) { return !owner.expired(); }), 3);
  }
  EXPECT_EQ(measuring.finish().size(), 30u);
}

TEST(Measuring, OfNothingIsDoneAtOnce) {
  EXPECT_TRUE(Measuring(tensors_of({1})).finish().empty());
}

TEST(Measuring, ThatNobodyWaitsForEndsAfterTheContributionInHand) {
  Measuring measuring(tensors_of(std::vector<float>(100'000)));
  for (int i = 0; i < 100; ++i) measuring.add(tensors_of(std::vector<float>(100'000, 1.0f)));
}

TEST(Measuring, HandsOnWhatMeasuringThrew) {
  Measuring measuring(tensors_of({1, 2}));
  NamedTensors wrong = tensors_of({1, 2});
  wrong.tensors[0].dtype = DType::i32;
  measuring.add(wrong);
  EXPECT_THROW(measuring.finish(), Error);
}

}  // namespace
}  // namespace fedtune::fed
