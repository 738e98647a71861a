#include "fedtune/train/distill_loss.h"

#include <cmath>
#include <functional>

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/kl_div.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/train/loss.h"
#include "fedtune/train/test_support.h"

namespace fedtune::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

models::ModelConfig shape(std::int64_t layers, std::int64_t heads) {
  models::ModelConfig config;
  config.layers = layers;
  config.heads = heads;
  return config;
}

std::vector<std::size_t> teacher_layers(std::int64_t teacher, std::int64_t student) {
  std::vector<std::size_t> layers(static_cast<std::size_t>(student));
  for (const LayerPair& pair : matched_layers({.teacher = shape(teacher, 12), .student = shape(student, 12)})) {
    layers[pair.student] = pair.teacher;
  }
  return layers;
}

std::string refusal(const models::ModelConfig& teacher, const models::ModelConfig& student) {
  try {
    matched_layers({.teacher = teacher, .student = student});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "accepted";
}

TEST(MatchedLayers, AreCountedFromTheTop) {
  EXPECT_THAT(teacher_layers(12, 6), ElementsAre(1, 3, 5, 7, 9, 11));
  EXPECT_THAT(teacher_layers(12, 4), ElementsAre(2, 5, 8, 11));
  EXPECT_THAT(teacher_layers(3, 3), ElementsAre(0, 1, 2));
}

TEST(MatchedLayers, NeedTheSameNumberOfHeads) {
  EXPECT_THAT(refusal(shape(12, 16), shape(6, 12)), HasSubstr("the teacher has 16 heads, the student 12"));
}

TEST(MatchedLayers, NeedAMultipleOfTheStudentsLayers) {
  EXPECT_THAT(refusal(shape(12, 12), shape(5, 12)), HasSubstr("12 layers, expected a multiple of the student's 5"));
  EXPECT_THAT(refusal(shape(3, 12), shape(6, 12)), HasSubstr("3 layers"));
}

TEST(DistillLoss, RefusesATemperatureOfZero) {
  const models::ModelConfig config = shape(2, 2);
  EXPECT_THROW(DistillLoss({.temperature = 0.0}, {.teacher = config, .student = config}), Error);
}

TEST(SoftenedDivergence, IsTheDivergenceFromTheTargetTimesTheSquaredTemperature) {
  const at::Tensor target = at::tensor({2.0, -1.0}, at::kDouble).view({1, 2});
  const at::Tensor own = at::tensor({0.5, 0.0}, at::kDouble).view({1, 2});
  const double p = 1.0 / (1.0 + std::exp(-1.5)), q = 1.0 / (1.0 + std::exp(-0.25));  // of the first class, at T = 2
  const double by_hand = 4.0 * (p * std::log(p / q) + (1.0 - p) * std::log((1.0 - p) / (1.0 - q)));
  EXPECT_NEAR(softened_divergence({.logits = own, .towards = target}, 2.0).item<double>(), by_hand, 1e-12);
}

TEST(SoftenedDivergence, IsZeroForEqualAnswersAndAMeanOverSentences) {
  const at::Tensor one = at::tensor({2.0, -1.0}, at::kDouble).view({1, 2});
  const at::Tensor other = at::tensor({0.5, 0.0}, at::kDouble).view({1, 2});
  EXPECT_NEAR(softened_divergence({.logits = one, .towards = one}, 3.0).item<double>(), 0.0, 1e-12);
  EXPECT_NEAR(
      softened_divergence({.logits = at::cat({one, other}), .towards = at::cat({one, one})}, 1.0).item<double>(),
      softened_divergence({.logits = other, .towards = one}, 1.0).item<double>() / 2.0, 1e-12);
}

TEST(RawDivergence, IsWhatTheReferenceCallsKl) {
  const at::Tensor target = at::tensor({2.0, -1.0}, at::kDouble).view({1, 2});
  const at::Tensor own = at::tensor({0.5, 0.25}, at::kDouble).view({1, 2});
  const double by_hand = std::exp(0.5) * (0.5 - 2.0) + std::exp(0.25) * (0.25 + 1.0);
  EXPECT_NEAR(raw_divergence({.logits = own, .towards = target}).item<double>(), by_hand, 1e-12);
  EXPECT_LT(by_hand, 0.0);  // no divergence is
  EXPECT_NEAR(by_hand, at::kl_div(target, own, at::Reduction::Sum, /*log_target=*/true).item<double>(), 1e-12);
}

// Two sentences of 3 and 2 tokens: 13 pairs. A teacher of 4 layers, a student of 2; 2 heads; 3 classes.
constexpr std::int64_t pairs = 13;

struct Case {
  models::ForwardResult teacher, student;
  at::Tensor labels = at::tensor({2, 0}, at::kLong);
};

models::ForwardResult outputs(std::uint32_t site, int layers) {
  models::ForwardResult result{.logits = testing::random_tensor({2, 3}, site, 1.0), .probabilities = {}};
  for (int i = 0; i < layers; ++i) {
    result.probabilities.push_back(testing::random_tensor({pairs, 2}, site + 1 + static_cast<std::uint32_t>(i), 1.0));
  }
  return result;
}

void require_gradients(models::ForwardResult& result) {
  result.logits.requires_grad_(true);
  for (at::Tensor& layer : result.probabilities) layer.requires_grad_(true);
}

Case make_case(bool teacher_learns = true) {
  Case made{.teacher = outputs(1, 4), .student = outputs(10, 2)};
  if (teacher_learns) require_gradients(made.teacher);
  require_gradients(made.student);
  return made;
}

DistillLoss loss_of(KdLoss form) {
  const models::ModelConfig teacher = shape(4, 2), student = shape(2, 2);
  return {{.form = form, .temperature = 2.0}, {.teacher = teacher, .student = student}};
}

at::Tensor in_double(const at::Tensor& tensor) {
  return tensor.detach().to(at::kDouble);
}

// The loss once more, in double and from its definition: what varies and what the stop-gradients hold are arguments.
double by_definition(KdLoss form, bool teacher_learns, const Case& moving, const Case& held) {
  const auto task = [&](const Case& c, const models::ForwardResult Case::*model) {
    return -at::log_softmax(in_double((c.*model).logits), 1).gather(1, c.labels.view({2, 1})).mean().item<double>();
  };
  const double teacher_task = task(moving, &Case::teacher), student_task = task(moving, &Case::student);
  double gap = 0.0;
  for (std::size_t l = 0; l < 2; ++l) {
    const at::Tensor difference =
        in_double(moving.student.probabilities[l]) - in_double(moving.teacher.probabilities[2 * l + 1]);
    gap += difference.square().sum().item<double>() / static_cast<double>(2 * pairs);
  }
  const auto pull = [&](const at::Tensor& towards, const at::Tensor& own) {
    const at::Tensor a = in_double(towards), b = in_double(own);
    if (form == KdLoss::reference) return (b.exp() * (b - a)).sum().item<double>() / 2.0;
    const at::Tensor p = at::log_softmax(a / 2.0, 1), q = at::log_softmax(b / 2.0, 1);
    return 4.0 * (p.exp() * (p - q)).sum().item<double>() / 2.0;
  };
  double answers = pull(held.teacher.logits, moving.student.logits);
  if (teacher_learns) answers += pull(held.student.logits, moving.teacher.logits);
  const double held_doubt = task(held, &Case::student) + task(held, &Case::teacher) + 1.0;
  const double doubt = form == KdLoss::reference ? student_task + teacher_task + 1.0 : held_doubt;
  return student_task + (teacher_learns ? teacher_task : 0.0) + answers / held_doubt + gap / doubt;
}

// Every entry of every gradient against the central difference of the definition.
void expect_numerical_gradients(KdLoss form, bool teacher_learns) {
  const Case held = make_case(teacher_learns);
  loss_of(form)({.teacher = held.teacher, .student = held.student}, held.labels).backward();
  Case moving = held;
  const auto check = [&](at::Tensor& moved, const at::Tensor& original, const std::string& what) {
    const at::Tensor expected =
        original.grad().defined() ? in_double(original.grad()).flatten() : at::zeros({original.numel()}, at::kDouble);
    for (std::int64_t i = 0; i < original.numel(); ++i) {
      const auto at = [&](double step) {
        moved = in_double(original).clone();
        moved.view(-1)[i] += step;
        return by_definition(form, teacher_learns, moving, held);
      };
      constexpr double step = 1e-5;
      EXPECT_NEAR(expected[i].item<double>(), (at(step) - at(-step)) / (2.0 * step), 2e-6) << what << " " << i;
    }
    moved = original;
  };
  check(moving.student.logits, held.student.logits, "student logits");
  for (std::size_t l = 0; l < 2; ++l) {
    check(moving.student.probabilities[l], held.student.probabilities[l], "student attention");
  }
  if (!teacher_learns) return;
  check(moving.teacher.logits, held.teacher.logits, "teacher logits");
  for (std::size_t l = 0; l < 4; ++l) {
    check(moving.teacher.probabilities[l], held.teacher.probabilities[l], "teacher attention");
  }
}

class DistillLossFor : public ::testing::TestWithParam<KdLoss> {};

TEST_P(DistillLossFor, IsItsDefinition) {
  for (const bool teacher_learns : {true, false}) {
    const Case made = make_case(teacher_learns);
    const double loss =
        loss_of(GetParam())({.teacher = made.teacher, .student = made.student}, made.labels).item<double>();
    EXPECT_NEAR(loss, by_definition(GetParam(), teacher_learns, made, made), 1e-5);
  }
}

TEST_P(DistillLossFor, HasTheGradientsOfItsDefinitionWithTheDetachedHeld) {
  expect_numerical_gradients(GetParam(), /*teacher_learns=*/true);
}

TEST_P(DistillLossFor, TeachesTheStudentTheSameWayOnceTheTeacherHasStopped) {
  expect_numerical_gradients(GetParam(), /*teacher_learns=*/false);
}

TEST_P(DistillLossFor, IsTheTasksAndTheTermsAskedFor) {
  for (const bool teacher_learns : {true, false}) {
    const Case made = make_case(teacher_learns);
    const auto with = [&](KdTerms terms) {
      const models::ModelConfig teacher = shape(4, 2), student = shape(2, 2);
      const DistillLoss loss({.form = GetParam(), .terms = terms}, {.teacher = teacher, .student = student});
      return loss({.teacher = made.teacher, .student = made.student}, made.labels).item<double>();
    };
    const auto task = [&](const models::ForwardResult& model) {
      return cross_entropy(model.logits, made.labels).item<double>();
    };
    const double tasks = with(KdTerms::none);
    EXPECT_NEAR(tasks, task(made.student) + (teacher_learns ? task(made.teacher) : 0.0), 1e-6);
    EXPECT_GT(with(KdTerms::attention), tasks);
    EXPECT_GT(std::abs(with(KdTerms::answers) - tasks), 1e-3);
    EXPECT_NEAR(with(KdTerms::answers) + with(KdTerms::attention) - tasks, with(KdTerms::all), 1e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(BothForms, DistillLossFor, ::testing::Values(KdLoss::corrected, KdLoss::reference),
                         [](const auto& info) { return info.param == KdLoss::corrected ? "Corrected" : "Reference"; });

TEST(DistillLoss, GivesNoGradientThroughTheTargets) {
  const Case made = make_case();
  softened_divergence({.logits = made.student.logits, .towards = made.teacher.logits}, 2.0).backward();
  raw_divergence({.logits = made.student.logits, .towards = made.teacher.logits}).backward();
  EXPECT_FALSE(made.teacher.logits.grad().defined());
  EXPECT_TRUE(made.student.logits.grad().defined());
}

TEST(DistillLoss, ComparesOnlyTheMatchedLayersOfTheTeacher) {
  const Case made = make_case();
  loss_of(KdLoss::corrected)({.teacher = made.teacher, .student = made.student}, made.labels).backward();
  EXPECT_FALSE(made.teacher.probabilities[0].grad().defined());
  EXPECT_TRUE(made.teacher.probabilities[1].grad().defined());
  EXPECT_FALSE(made.teacher.probabilities[2].grad().defined());
  EXPECT_TRUE(made.teacher.probabilities[3].grad().defined());
}

}  // namespace
}  // namespace fedtune::train
