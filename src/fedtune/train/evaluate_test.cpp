#include "fedtune/train/evaluate.h"

#include <cmath>

#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/train/test_support.h"

namespace fedtune::train {
namespace {

using testing::tiny_model;
using testing::tiny_task;

bool same(const std::vector<Prediction>& left, const std::vector<Prediction>& right) {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i].label != right[i].label || left[i].logits != right[i].logits) return false;
  }
  return true;
}

TEST(Predict, GivesTheSameBitsForAnyNumberOfWorkers) {
  const auto model = tiny_model();
  const auto examples = tiny_task(50);
  const auto one = predict(model, examples, {.batch_size = 8, .workers = 1});
  EXPECT_TRUE(same(one, predict(model, examples, {.batch_size = 8, .workers = 2})));
  EXPECT_TRUE(same(one, predict(model, examples, {.batch_size = 8, .workers = 5})));
}

TEST(Predict, AnswersInTheOrderOfTheSentences) {
  const auto model = tiny_model();
  const auto examples = tiny_task(20);
  const auto all = predict(model, examples, {.batch_size = 8, .workers = 2});
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const auto alone = predict(model, std::span(examples).subspan(i, 1), {});
    for (std::size_t k = 0; k < 2; ++k) EXPECT_NEAR(all[i].logits[k], alone[0].logits[k], 1e-5);
  }
}

TEST(Predict, HasNothingToSayAboutNoSentences) {
  EXPECT_TRUE(predict(tiny_model(), {}, {}).empty());
}

TEST(Predict, RefusesBatchesOfNothing) {
  EXPECT_THROW(predict(tiny_model(), tiny_task(2), {.batch_size = 0}), Error);
}

// Three sentences in batches of 2 and 1; losses by hand.
TEST(Score, TakesBothMeansOfTheLoss) {
  std::vector<data::Example> examples(3);
  examples[0].label = 1;
  examples[1].label = 0;
  examples[2].label = 1;
  const std::vector<Prediction> predictions = {
      {.label = 1, .logits = {0.0f, 2.0f}}, {.label = 1, .logits = {0.0f, 1.0f}}, {.label = 0, .logits = {0.5f, 0.0f}}};
  const double a = std::log1p(std::exp(-2.0));
  const double b = std::log1p(std::exp(1.0));
  const double c = std::log1p(std::exp(0.5));
  const Scores scores = score(predictions, examples, 2);
  EXPECT_NEAR(scores.loss, (a + b + c) / 3.0, 1e-12);
  EXPECT_NEAR(scores.reference_loss, ((a + b) / 2.0 + c) / 3.0, 1e-12);
  EXPECT_NEAR(scores.accuracy, 1.0 / 3.0, 1e-12);
  EXPECT_EQ(scores.sentences, 3);
}

TEST(Score, RefusesAnEmptySet) {
  EXPECT_THROW(score({}, {}, 32), Error);
}

TEST(MajorityAccuracy, IsTheShareOfTheMostFrequentLabel) {
  std::vector<data::Example> examples(5);
  examples[0].label = examples[1].label = examples[4].label = 1;
  EXPECT_DOUBLE_EQ(majority_accuracy(examples), 0.6);
}

}  // namespace
}  // namespace fedtune::train
