#include "fedtune/train/metrics.h"

#include <cmath>

#include <gtest/gtest.h>

#include "fedtune/base/error.h"

namespace fedtune::train {
namespace {

ConfusionMatrix confusion(std::int64_t classes, const std::vector<std::int64_t>& truth,
                          const std::vector<std::int64_t>& predicted) {
  ConfusionMatrix matrix(classes);
  for (std::size_t i = 0; i < truth.size(); ++i) matrix.add({.truth = truth[i], .predicted = predicted[i]});
  return matrix;
}

// 2 true negatives, 1 false positive, 1 false negative, 6 true positives.
TEST(Metrics, CountsEachOutcome) {
  const ConfusionMatrix matrix = confusion(2, {0, 0, 0, 1, 1, 1, 1, 1, 1, 1}, {0, 1, 0, 1, 1, 1, 1, 1, 0, 1});
  EXPECT_EQ(matrix.count({.truth = 0, .predicted = 0}), 2);
  EXPECT_EQ(matrix.count({.truth = 0, .predicted = 1}), 1);
  EXPECT_EQ(matrix.count({.truth = 1, .predicted = 0}), 1);
  EXPECT_EQ(matrix.count({.truth = 1, .predicted = 1}), 6);
  EXPECT_EQ(matrix.total(), 10);
}

TEST(Metrics, ScoresTwoClassesByHand) {
  const ConfusionMatrix matrix = confusion(2, {0, 0, 0, 1, 1, 1, 1, 1, 1, 1}, {0, 1, 0, 1, 1, 1, 1, 1, 0, 1});
  EXPECT_DOUBLE_EQ(matrix.accuracy(), 0.8);
  EXPECT_DOUBLE_EQ(matrix.mcc(), (6.0 * 2 - 1 * 1) / std::sqrt(7.0 * 7 * 3 * 3));
  EXPECT_DOUBLE_EQ(matrix.f1(), 2.0 * 6 / (2 * 6 + 1 + 1));
}

// Expected values: scikit-learn 1.9's matthews_corrcoef and f1_score(average="macro").
TEST(Metrics, ScoresThreeClassesAsScikitLearnDoes) {
  const ConfusionMatrix matrix =
      confusion(3, {0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2}, {0, 0, 1, 2, 1, 1, 0, 2, 2, 2, 1, 2});
  EXPECT_DOUBLE_EQ(matrix.accuracy(), 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(matrix.mcc(), 0.5);
  EXPECT_DOUBLE_EQ(matrix.f1(), 0.6476190476190476);
}

TEST(Metrics, LeavesAClassThatNeverOccursOutOfMacroF1) {
  const ConfusionMatrix matrix = confusion(3, {0, 0, 0, 1, 1, 1, 1}, {0, 0, 1, 1, 1, 1, 0});
  EXPECT_DOUBLE_EQ(matrix.f1(), 0.7083333333333333);
  EXPECT_DOUBLE_EQ(matrix.mcc(), 0.4166666666666667);
}

TEST(Metrics, CorrelationOfAConstantPredictionIsZero) {
  const ConfusionMatrix matrix = confusion(2, {0, 1, 1}, {1, 1, 1});
  EXPECT_EQ(matrix.mcc(), 0.0);
  EXPECT_DOUBLE_EQ(matrix.accuracy(), 2.0 / 3.0);
}

TEST(Metrics, NothingCountedScoresZero) {
  const ConfusionMatrix matrix(2);
  EXPECT_EQ(matrix.accuracy(), 0.0);
  EXPECT_EQ(matrix.mcc(), 0.0);
  EXPECT_EQ(matrix.f1(), 0.0);
}

TEST(Metrics, RefusesAClassOutOfRange) {
  ConfusionMatrix matrix(2);
  EXPECT_THROW(matrix.add({.truth = 2, .predicted = 0}), Error);
  EXPECT_THROW(matrix.add({.truth = 0, .predicted = -1}), Error);
}

TEST(Metrics, RefusesFewerThanTwoClasses) {
  EXPECT_THROW(ConfusionMatrix(1), Error);
}

}  // namespace
}  // namespace fedtune::train
