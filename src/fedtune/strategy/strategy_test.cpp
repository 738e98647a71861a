#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/strategy/fedlora.h"
#include "fedtune/strategy/schemes.h"
#include "fedtune/train/test_support.h"

namespace fedtune::strategy {
namespace {

using ::testing::HasSubstr;
using train::Trained;
using train::testing::same_bits;
using train::testing::tiny_student;
using train::testing::tiny_task;

std::shared_ptr<const train::StudentTemplate> student(Trained trained, std::uint64_t seed = 0) {
  return std::make_shared<train::StudentTemplate>(tiny_student(trained, seed));
}

// A contribution whose values are all `value`.
fed::Update constant_update(const NamedTensors& like, int rank, float value) {
  const auto buffer = std::make_shared<std::vector<float>>(like.total_bytes() / sizeof(float), value);
  fed::Update update{.round = 1, .rank = rank, .tensors = {}, .weight = static_cast<double>(rank), .report = {}};
  update.tensors.owner = buffer;
  std::size_t first = 0;
  for (TensorView view : like.tensors) {
    const auto count = static_cast<std::size_t>(view.count());
    view.bytes = std::as_bytes(std::span(*buffer).subspan(first, count));
    first += count;
    update.tensors.tensors.push_back(std::move(view));
  }
  return update;
}

TEST(FedAvg, WeightsUpdatesByReportedCount) {
  FedAvg strategy(student(Trained::all_parameters), {});
  const NamedTensors initial = strategy.initial();
  const std::vector<fed::Update> updates = {constant_update(initial, 1, 1.0f), constant_update(initial, 3, 5.0f)};
  const NamedTensors mean = strategy.aggregate(1, initial, updates);
  ASSERT_EQ(layout_of(mean), strategy.layout());
  for (const TensorView& tensor : mean.tensors) {
    for (const float value : tensor.f32()) ASSERT_EQ(value, 4.0f) << tensor.name;
  }
}

TEST(FedAvg, AdmitsWhatItSent) {
  FedAvg strategy(student(Trained::all_parameters), {});
  EXPECT_TRUE(strategy.admit({.round = 1, .rank = 1, .tensors = strategy.initial(), .weight = 3.0, .report = {}}));
}

TEST(FedAvg, RefusesValuesThatAreNotFinite) {
  FedAvg strategy(student(Trained::all_parameters), {});
  const Status status = strategy.admit(constant_update(strategy.initial(), 1, std::numeric_limits<float>::quiet_NaN()));
  EXPECT_FALSE(status.is_ok());
  EXPECT_FALSE(status.reason().empty());
}

TEST(FedAvg, RefusesTheTensorsOfAnotherScheme) {
  FedAvg strategy(student(Trained::all_parameters), {});
  const NamedTensors adapters = student(Trained::adapters)->initial();
  EXPECT_FALSE(strategy.admit({.round = 1, .rank = 1, .tensors = adapters, .weight = 1.0, .report = {}}).is_ok());
}

TEST(FedAvg, EvaluatesTheGlobalTensorsItIsGiven) {
  const auto examples = tiny_task(40);
  const auto one = student(Trained::adapters, 1);
  FedLora strategy(one, {.examples = examples, .options = {.batch_size = 8, .workers = 2}});
  const fed::Evaluation scores = strategy.evaluate(0, strategy.initial());
  const train::Scores direct = train::evaluate(one->for_scoring(one->initial()), examples, {.batch_size = 8});
  EXPECT_EQ(scores.loss, direct.loss);
  EXPECT_EQ(scores.reference_loss, direct.reference_loss);
  EXPECT_EQ(scores.accuracy, direct.accuracy);
  EXPECT_EQ(scores.sentences, 40);
  const fed::Evaluation other = strategy.evaluate(1, constant_update(strategy.initial(), 1, 0.5f).tensors);
  EXPECT_NE(other.loss, scores.loss);
}

TEST(FedLora, ReportsWhatAveragingFactorsApartCosts) {
  FedLora strategy(student(Trained::adapters), {});
  const NamedTensors initial = strategy.initial();
  // p = 1/4, 3/4: the factors' means are 1/4 + 3 * 3/4 = 5/2, their product r * 25/4; the products' mean is r * (1 +
  // 27) / 4.
  const std::vector<fed::Update> updates = {constant_update(initial, 1, 1.0f), constant_update(initial, 3, 3.0f)};
  strategy.aggregate(1, initial, updates);
  ASSERT_EQ(strategy.averaging_errors().size(), 4u);
  for (const auto& error : strategy.averaging_errors()) EXPECT_NEAR(error.relative, 0.75 / 7.0, 1e-6) << error.layer;
}

TEST(FedLora, AveragesOneClientWithoutError) {
  FedLora strategy(student(Trained::adapters), {});
  const NamedTensors initial = strategy.initial();
  const std::vector<fed::Update> updates = {constant_update(initial, 2, 1.0f)};
  EXPECT_TRUE(same_bits(strategy.aggregate(1, initial, updates), updates[0].tensors));
  for (const auto& error : strategy.averaging_errors()) EXPECT_NEAR(error.relative, 0.0, 1e-6);
}

TEST(Schemes, AreFoundByName) {
  EXPECT_EQ(scheme_named("fedavg").trained, Trained::all_parameters);
  EXPECT_EQ(scheme_named("fedlora").trained, Trained::adapters);
  const auto strategy = scheme_named("fedlora").make({.student = student(Trained::adapters)});
  EXPECT_NE(dynamic_cast<FedLora*>(strategy.get()), nullptr);
}

TEST(Schemes, AnUnknownNameListsTheKnownOnes) {
  try {
    scheme_named("fedsgd");
    FAIL() << "found";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("fedavg, fedlora, fedkdlora"));
  }
}

}  // namespace
}  // namespace fedtune::strategy
