#include "fedtune/train/trainer.h"

#include <algorithm>
#include <limits>
#include <set>

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/train/evaluate.h"
#include "fedtune/train/test_support.h"

namespace fedtune::train {
namespace {

using ::testing::HasSubstr;
using testing::tiny_student;
using testing::tiny_task;

TrainOptions options(int epochs = 1) {
  TrainOptions training{.epochs = epochs, .batch_size = 8};
  training.phase.optimizer.lr = 5e-3;
  training.phase.place = {.seed = 3, .round = 2, .rank = 4};
  return training;
}

NamedTensors trained(Trained what, const TrainOptions& training) {
  const StudentTemplate student = tiny_student(what);
  models::SequenceClassifier model = student.for_training(student.initial());
  train(model, tiny_task(30), training);
  return student.travelling(model);
}

TEST(EpochOrder, VisitsEveryExampleOnce) {
  const auto order = epoch_order({.seed = 1}, 0, 100);
  EXPECT_EQ(std::set<std::uint32_t>(order.begin(), order.end()).size(), 100u);
  EXPECT_EQ(*std::max_element(order.begin(), order.end()), 99u);
}

TEST(EpochOrder, DiffersByEpochRoundAndClient) {
  const auto order = epoch_order({.seed = 1, .round = 1, .rank = 1}, 0, 100);
  EXPECT_NE(order, epoch_order({.seed = 1, .round = 1, .rank = 1}, 1, 100));
  EXPECT_NE(order, epoch_order({.seed = 1, .round = 2, .rank = 1}, 0, 100));
  EXPECT_NE(order, epoch_order({.seed = 1, .round = 1, .rank = 2}, 0, 100));
  EXPECT_EQ(order, epoch_order({.seed = 1, .round = 1, .rank = 1}, 0, 100));
}

class TrainerFor : public ::testing::TestWithParam<Trained> {};

TEST_P(TrainerFor, LearnsTheTask) {
  const StudentTemplate student = tiny_student(GetParam());
  const auto examples = tiny_task(200);
  const auto held_out = tiny_task(200, 2);
  models::SequenceClassifier model = student.for_training(student.initial());
  TrainOptions training = options(15);
  training.phase.optimizer.lr = 1e-2;
  train(model, examples, training);
  EXPECT_GT(evaluate(model, held_out, {}).accuracy, majority_accuracy(held_out) + 0.2);
}

TEST_P(TrainerFor, GivesTheSameBitsEveryTime) {
  EXPECT_TRUE(testing::same_bits(trained(GetParam(), options()), trained(GetParam(), options())));
}

TEST_P(TrainerFor, DependsOnThePlaceOfThePhase) {
  TrainOptions elsewhere = options();
  elsewhere.phase.place.rank = 5;
  EXPECT_FALSE(testing::same_bits(trained(GetParam(), options()), trained(GetParam(), elsewhere)));
}

INSTANTIATE_TEST_SUITE_P(BothSchemes, TrainerFor, ::testing::Values(Trained::all_parameters, Trained::adapters),
                         [](const auto& info) {
                           return info.param == Trained::adapters ? "Adapters" : "AllParameters";
                         });

TEST(Trainer, KeepsTheLastSmallBatch) {
  const StudentTemplate student = tiny_student(Trained::adapters);
  models::SequenceClassifier model = student.for_training(student.initial());
  const auto examples = tiny_task(30);
  const TrainReport report = train(model, examples, options(2));
  EXPECT_EQ(report.steps, 8);  // 8 + 8 + 8 + 6, twice
  EXPECT_EQ(report.sentences, 60);
  std::int64_t tokens = 0;
  for (const auto& example : examples) tokens += static_cast<std::int64_t>(example.ids.size());
  EXPECT_EQ(report.tokens, 2 * tokens);
}

TEST(Trainer, ReportsTheMeanOfTheLossesItPassedOn) {
  const StudentTemplate student = tiny_student(Trained::adapters);
  models::SequenceClassifier model = student.for_training(student.initial());
  std::vector<double> losses;
  TrainOptions training = options();
  training.phase.on_step = [&](std::int64_t step, double loss) {
    EXPECT_EQ(step, static_cast<std::int64_t>(losses.size()));
    losses.push_back(loss);
  };
  const TrainReport report = train(model, tiny_task(24), training);
  ASSERT_EQ(losses.size(), 3u);
  EXPECT_NEAR(report.mean_loss, (losses[0] + losses[1] + losses[2]) / 3.0, 1e-12);
}

TEST(Trainer, UsesOnlyTheRowsOfTheShare) {
  const StudentTemplate student = tiny_student(Trained::adapters);
  auto pool = tiny_task(30);
  const std::vector<std::uint32_t> rows = {3, 5, 8, 13, 21};
  const auto run = [&] {
    models::SequenceClassifier model = student.for_training(student.initial());
    train(model, pool, rows, options());
    return student.travelling(model);
  };
  const NamedTensors before = run();
  pool[4].label = 1 - pool[4].label;
  EXPECT_TRUE(testing::same_bits(before, run()));
  pool[5].label = 1 - pool[5].label;
  EXPECT_FALSE(testing::same_bits(before, run()));
}

TEST(Trainer, LeavesTheFrozenBaseAlone) {
  const StudentTemplate student = tiny_student(Trained::adapters);
  models::SequenceClassifier model = student.for_training(student.initial());
  const at::Tensor before = model.layers[0].intermediate.weight.weight.clone();
  train(model, tiny_task(16), options());
  EXPECT_TRUE(before.equal(model.layers[0].intermediate.weight.weight));
}

TEST(Trainer, NamesClientRoundAndStepOfALossThatIsNotFinite) {
  const StudentTemplate student = tiny_student(Trained::adapters);
  models::SequenceClassifier model = student.for_training(student.initial());
  TrainOptions training = options();
  training.phase.on_step = [&](std::int64_t step, double) {
    const at::NoGradGuard no_grad;
    if (step == 1) model.classifier.weight.bias.fill_(std::numeric_limits<float>::quiet_NaN());
  };
  try {
    train(model, tiny_task(30), training);
    FAIL() << "trained on";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::failed);
    EXPECT_THAT(error.what(), HasSubstr("client 4, round 2, step 3"));
  }
}

TEST(Trainer, StopsBetweenStepsWhenAsked) {
  const StudentTemplate student = tiny_student(Trained::adapters);
  models::SequenceClassifier model = student.for_training(student.initial());
  int steps = 0;
  TrainOptions training = options();
  training.phase.on_step = [&](std::int64_t, double) { ++steps; };
  training.phase.stop = [&] { return steps == 2; };
  EXPECT_THROW(train(model, tiny_task(30), training), Interrupted);
  EXPECT_EQ(steps, 2);
}

TEST(Trainer, RefusesAnEmptyShare) {
  const StudentTemplate student = tiny_student(Trained::adapters);
  models::SequenceClassifier model = student.for_training(student.initial());
  EXPECT_THROW(train(model, {}, options()), Error);
}

TEST(Trainer, RefusesZeroEpochs) {
  const StudentTemplate student = tiny_student(Trained::adapters);
  models::SequenceClassifier model = student.for_training(student.initial());
  EXPECT_THROW(train(model, tiny_task(8), options(0)), Error);
}

TEST(Trainer, RefusesBatchesOfNothing) {
  const StudentTemplate student = tiny_student(Trained::adapters);
  models::SequenceClassifier model = student.for_training(student.initial());
  TrainOptions training = options();
  training.batch_size = 0;
  EXPECT_THROW(train(model, tiny_task(8), training), Error);
}

}  // namespace
}  // namespace fedtune::train
