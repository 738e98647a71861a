#include "fedtune/train/distill_phase.h"

#include <limits>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/models/checkpoint.h"
#include "fedtune/nn/thread.h"
#include "fedtune/train/distill.h"
#include "fedtune/train/evaluate.h"
#include "fedtune/train/padded_twin.h"
#include "fedtune/train/test_support.h"

namespace fedtune::train {
namespace {

using ::testing::HasSubstr;
using testing::padded_distill_loss;
using testing::random_tensor;
using testing::same_bits;
using testing::tiny_model;
using testing::tiny_task;

// A BERT of 4 layers with all its parameters, a student of 2 layers with its adapters, the latter moved off their start
// so that no gradient vanishes.
struct Classroom {
  explicit Classroom(const std::string& student_type)
      : teacher(models::trainable_copy(tiny_model("bert", 4))), lora({.r = 4}), student(tiny_model(student_type)) {
    models::freeze_all(student);
    peft::inject(student, lora, 1);
    const at::NoGradGuard no_grad;
    std::uint32_t site = 100;
    for (const io::Parameter& parameter : peft::adapter_parameters(student, lora)) {
      at::Tensor(parameter.tensor).add_(random_tensor(parameter.tensor.sizes().vec(), site++, 0.1));
    }
  }

  io::Parameters trained() const {
    io::Parameters all = teacher.parameters();
    for (const io::Parameter& parameter : peft::adapter_parameters(student, lora)) all.push_back(parameter);
    return all;
  }
  NamedTensors teacher_bits() const { return io::named_tensors_from(copies(teacher.parameters())); }
  NamedTensors student_bits() const { return io::named_tensors_from(copies(peft::adapter_parameters(student, lora))); }
  DistilledModels models() { return {.teacher = teacher, .student = student}; }

  static io::Parameters copies(io::Parameters parameters) {
    for (io::Parameter& parameter : parameters) parameter.tensor = parameter.tensor.detach().clone();
    return parameters;
  }

  models::SequenceClassifier teacher;
  peft::LoraConfig lora;
  models::SequenceClassifier student;
};

data::PackedBatch batch_of(const std::vector<data::Example>& examples) {
  std::vector<std::uint32_t> order(examples.size());
  std::iota(order.begin(), order.end(), 0u);
  return data::pack(examples, order);
}

DistillPhaseOptions options_for(KdLoss form, bool dropout = true) {
  DistillPhaseOptions options{.loss = {.form = form}};
  options.phase = {.optimizer = {.lr = 1e-2},
                   .schedule = Schedule::linear_decay,
                   .dropout = dropout,
                   .place = {.seed = 3, .round = 2}};
  return options;
}

struct Setting {
  KdLoss form;
  std::string student;
};

class DistillPhaseFor : public ::testing::TestWithParam<Setting> {};

// Gradients are read from where AdamW's first step goes, lr g / (|g| + eps): with an eps of 1, nearly lr g.
TEST_P(DistillPhaseFor, TakesTheStepOfItsPaddedTwin) {
  const auto examples = tiny_task(6);
  Classroom ours(GetParam().student), twin(GetParam().student);
  DistillPhaseOptions options = options_for(GetParam().form, /*dropout=*/false);
  options.phase.optimizer.eps = 1.0;  // a step in proportion to the gradient
  const double loss = DistillPhase(ours.models(), options, 4).step(batch_of(examples));

  const at::Tensor twin_loss =
      padded_distill_loss({.teacher = twin.teacher, .student = twin.student}, examples, {.form = GetParam().form});
  EXPECT_NEAR(loss, twin_loss.item<double>(), 1e-5);
  twin_loss.backward();
  const io::Parameters expected = twin.trained(), found = ours.trained();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const at::Tensor gradient = expected[i].tensor.grad();
    ASSERT_TRUE(gradient.defined()) << expected[i].name;
    const at::Tensor moved = (expected[i].tensor - found[i].tensor).detach() / 1e-2;
    const at::Tensor step = gradient / (gradient.abs() + 1.0);
    EXPECT_LT((moved - step).abs().max().item<double>(), 1e-4 * step.abs().max().item<double>() + 2e-5)
        << expected[i].name;
  }
}

TEST_P(DistillPhaseFor, GivesTheSameBitsOnOneThreadAndTwo) {
  const auto batch = batch_of(tiny_task(12));
  Classroom one(GetParam().student), two(GetParam().student);
  DistillPhase first(one.models(), options_for(GetParam().form), 3);
  DistillPhase second(two.models(), options_for(GetParam().form), 3);
  const auto step_with = [&](DistillPhase& phase, int threads) {
    const nn::UseThreads use(threads);
    return phase.step(batch);
  };
  for (int step = 0; step < 3; ++step) EXPECT_EQ(step_with(first, 1), step_with(second, 2));
  EXPECT_TRUE(same_bits(one.teacher_bits(), two.teacher_bits()));
  EXPECT_TRUE(same_bits(one.student_bits(), two.student_bits()));
}

TEST_P(DistillPhaseFor, LeavesAFrozenTeacherAlone) {
  Classroom room(GetParam().student);
  models::freeze_all(room.teacher);
  const NamedTensors teacher = room.teacher_bits(), student = room.student_bits();
  DistillPhase(room.models(), options_for(GetParam().form), 1).step(batch_of(tiny_task(12)));
  EXPECT_TRUE(same_bits(room.teacher_bits(), teacher));
  EXPECT_FALSE(same_bits(room.student_bits(), student));
}

INSTANTIATE_TEST_SUITE_P(AllPairs, DistillPhaseFor,
                         ::testing::Values(Setting{KdLoss::corrected, "distilbert"}, Setting{KdLoss::corrected, "bert"},
                                           Setting{KdLoss::reference, "distilbert"},
                                           Setting{KdLoss::reference, "bert"}),
                         [](const auto& info) {
                           return std::string(info.param.form == KdLoss::corrected ? "Corrected" : "Reference") +
                                  (info.param.student == "bert" ? "Bert" : "DistilBert");
                         });

TEST(DistillPhase, GoesOnWithTheStudentWhenTheTeacherIsFrozenMeanwhile) {
  Classroom room("distilbert");
  DistillPhase phase(room.models(), options_for(KdLoss::corrected), 2);
  const auto batch = batch_of(tiny_task(12));
  phase.step(batch);
  models::freeze_all(room.teacher);
  const NamedTensors teacher = room.teacher_bits(), student = room.student_bits();
  phase.step(batch);
  EXPECT_TRUE(same_bits(room.teacher_bits(), teacher));
  EXPECT_FALSE(same_bits(room.student_bits(), student));
}

TEST(DistillPhase, GivesTheStudentARateOfItsOwn) {
  const std::vector<data::Example> task = tiny_task(16);
  const auto after_a_step = [&](double lr, std::optional<double> student_lr) {
    Classroom classroom("bert");
    DistillPhaseOptions options;
    options.phase.optimizer.lr = lr;
    options.student_lr = student_lr;
    DistillPhase phase(classroom.models(), options, 1);
    const data::PackedBatch batch = batch_of(task);
    phase.step(batch);
    return std::pair(classroom.teacher_bits(), classroom.student_bits());
  };
  const auto [teacher, student] = after_a_step(1e-4, 2e-3);
  EXPECT_TRUE(same_bits(teacher, after_a_step(1e-4, {}).first));
  EXPECT_TRUE(same_bits(student, after_a_step(2e-3, {}).second));
  EXPECT_FALSE(same_bits(student, after_a_step(1e-4, {}).second));
}

TEST(DistillPhase, DrawsMasksOfTheirOwnForTeacherAndStudent) {
  // One model in both roles: without dropout the two agree and nothing but the task is left of the loss.
  const auto examples = tiny_task(12);
  const auto loss_of_twins = [&](bool dropout) {
    Classroom room("bert");
    room.teacher = models::trainable_copy(peft::merged(room.student));
    return DistillPhase(room.models(), options_for(KdLoss::corrected, dropout), 1).step(batch_of(examples));
  };
  Classroom room("bert");
  const models::SequenceClassifier merged = peft::merged(room.student);
  const double task = padded_distill_loss({.teacher = merged, .student = merged}, examples, {}).item<double>();
  EXPECT_NEAR(loss_of_twins(false), 2.0 * task, 1e-5);  // a frozen teacher's task is left out of `task`
  EXPECT_GT(std::abs(loss_of_twins(true) - 2.0 * task), 1e-3);
}

TEST(DistillPhase, NeedsAStudentThatLearns) {
  Classroom room("distilbert");
  models::freeze_all(room.student);
  EXPECT_THROW(DistillPhase(room.models(), options_for(KdLoss::corrected), 1), Error);
}

TEST(DistillPhase, NamesRoundAndStepOfALossThatIsNotFinite) {
  Classroom room("distilbert");
  {
    const at::NoGradGuard no_grad;
    room.teacher.classifier.weight.bias.fill_(std::numeric_limits<float>::quiet_NaN());
  }
  try {
    DistillPhase(room.models(), options_for(KdLoss::corrected), 1).step(batch_of(tiny_task(4)));
    FAIL() << "trained on";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("at the server, round 2, step 1"));
  }
}

TEST(Distill, StopsBetweenStepsWhenAsked) {
  Classroom room("distilbert");
  int steps = 0;
  DistillOptions options{.training = {.epochs = 2, .batch_size = 4}};
  options.training.phase.on_step = [&](std::int64_t, double) { ++steps; };
  options.training.phase.stop = [&] { return steps == 3; };
  const auto examples = tiny_task(16);
  std::vector<std::uint32_t> rows(examples.size());
  std::iota(rows.begin(), rows.end(), 0u);
  EXPECT_THROW(distill(room.models(), examples, rows, options), Interrupted);
  EXPECT_EQ(steps, 3);
}

TEST(Distill, TeachesTheStudentWhatTheTeacherKnows) {
  const auto examples = tiny_task(200);
  Classroom room("distilbert");
  TrainOptions alone{.epochs = 15, .batch_size = 8};
  alone.phase.optimizer.lr = 1e-2;
  train(room.teacher, examples, alone);
  models::freeze_all(room.teacher);
  DistillOptions options{.training = {.epochs = 20, .batch_size = 8}};
  options.training.phase.optimizer.lr = 1e-2;
  std::vector<std::uint32_t> rows(examples.size());
  std::iota(rows.begin(), rows.end(), 0u);
  const TrainReport report = distill(room.models(), examples, rows, options);
  EXPECT_EQ(report.steps, 20 * 25);
  EXPECT_EQ(report.sentences, 20 * 200);
  EXPECT_GT(evaluate(room.student, tiny_task(200, 2), {}).accuracy, 0.7);
}

}  // namespace
}  // namespace fedtune::train
