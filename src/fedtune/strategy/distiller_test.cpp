#include "fedtune/strategy/distiller.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/strategy/fedkdlora.h"
#include "fedtune/train/test_support.h"

namespace fedtune::strategy {
namespace {

using ::testing::HasSubstr;
using train::Trained;
using train::testing::same_bits;
using train::testing::tiny_model;
using train::testing::tiny_student;
using train::testing::tiny_task;

class DistillerTest : public ::testing::Test {
 protected:
  PublicShare share() const {
    std::vector<std::uint32_t> rows(examples.size());
    std::iota(rows.begin(), rows.end(), 0u);
    return {.examples = examples, .rows = rows};
  }

  static DistillerOptions options() {
    return {.teacher_epochs = 1, .kd_epochs = 1, .lr = 5e-3, .batch_size = 8, .guard = false, .seed = 3};
  }
  // A rate at which every teacher gets worse.
  static DistillerOptions reckless() {
    DistillerOptions changed = options();
    changed.lr = 1.0;
    changed.guard = true;
    return changed;
  }

  Distiller make(const DistillerOptions& with) const { return {tiny_model("bert", 4), share(), with}; }

  // What one round makes of the student.
  NamedTensors play(Distiller& distiller, int round) const {
    models::SequenceClassifier student = tiny.for_training(tiny.initial());
    distiller.distil(round, student);
    return tiny.travelling(student);
  }

  static NamedTensors bits(const Distiller& distiller) {
    io::Parameters copies = distiller.teacher().parameters();
    for (io::Parameter& copy : copies) copy.tensor = copy.tensor.detach().clone();
    return io::named_tensors_from(copies);
  }

  std::vector<data::Example> examples = tiny_task(40);
  train::StudentTemplate tiny = tiny_student(Trained::adapters);
};

TEST_F(DistillerTest, TrainsTeacherAndStudent) {
  Distiller distiller = make(options());
  const NamedTensors teacher = bits(distiller);
  EXPECT_FALSE(same_bits(play(distiller, 1), tiny.initial()));
  EXPECT_FALSE(same_bits(bits(distiller), teacher));
  EXPECT_EQ(distiller.since(), 1);
}

TEST_F(DistillerTest, IsAFunctionOfRoundStudentAndState) {
  Distiller one = make(options()), same = make(options()), other = make(options());
  const NamedTensors first = play(one, 1);
  EXPECT_TRUE(same_bits(first, play(same, 1)));
  EXPECT_FALSE(same_bits(first, play(other, 2)));
}

TEST_F(DistillerTest, GivesTheSameBitsForAnyNumberOfWorkers) {
  DistillerOptions many = options();
  many.guard = true;
  many.workers = 1;
  Distiller one = make(many);
  many.workers = 3;
  Distiller three = make(many);
  for (int round = 1; round <= 2; ++round) EXPECT_TRUE(same_bits(play(one, round), play(three, round)));
  EXPECT_TRUE(same_bits(one.state().tensors, three.state().tensors));
}

TEST_F(DistillerTest, LeavesOutAPhaseOfNoEpochs) {
  DistillerOptions alone = options();
  alone.kd_epochs = 0;
  Distiller teacher_only = make(alone);
  const NamedTensors teacher = bits(teacher_only);
  EXPECT_TRUE(same_bits(play(teacher_only, 1), tiny.initial()));
  EXPECT_FALSE(same_bits(bits(teacher_only), teacher));

  DistillerOptions nothing = alone;
  nothing.teacher_epochs = 0;
  Distiller idle = make(nothing);
  EXPECT_TRUE(same_bits(play(idle, 1), tiny.initial()));
  EXPECT_EQ(idle.since(), 0);
}

TEST_F(DistillerTest, TrainsOnTheHeldOutTenthOnlyWithoutTheGuard) {
  const auto outcome = [&](bool guard) {
    DistillerOptions with = options();
    with.guard = guard;
    Distiller distiller = make(with);
    return play(distiller, 1);
  };
  const NamedTensors guarded = outcome(true), unguarded = outcome(false);
  examples.back().ids[1] = examples.back().ids[1] == 5 ? 6 : 5;  // the last of the 4 held out
  EXPECT_TRUE(same_bits(guarded, outcome(true)));
  EXPECT_FALSE(same_bits(unguarded, outcome(false)));
}

TEST_F(DistillerTest, StopsATeacherThatGetsWorseAndTeachesOn) {
  Distiller distiller = make(reckless());
  const NamedTensors first = bits(distiller);
  play(distiller, 1);
  EXPECT_TRUE(distiller.stopped());
  EXPECT_TRUE(same_bits(bits(distiller), first));
  EXPECT_FALSE(same_bits(play(distiller, 2), tiny.initial()));
  EXPECT_TRUE(same_bits(bits(distiller), first));
  EXPECT_EQ(distiller.since(), 1);  // nothing has changed it since
}

TEST_F(DistillerTest, EndsTheTeachersOwnPhaseOnceItIsStopped) {
  int steps = 0;
  DistillerOptions with = reckless();
  with.teacher_epochs = 5;
  with.kd_epochs = 0;
  with.on_step = [&](double) { ++steps; };
  Distiller distiller = make(with);
  play(distiller, 1);
  EXPECT_EQ(steps, 5);  // one epoch of 36 sentences
}

TEST_F(DistillerTest, NeverStopsATeacherWithoutTheGuard) {
  DistillerOptions with = reckless();
  with.guard = false;
  with.lr = 0.1;
  Distiller distiller = make(with);
  play(distiller, 1);
  EXPECT_FALSE(distiller.stopped());
}

TEST_F(DistillerTest, FreezesATeacherOfRate0) {
  DistillerOptions with = options();
  with.lr = 0.0;
  with.student_lr = 5e-3;
  Distiller distiller = make(with);
  const NamedTensors loaded = bits(distiller);
  EXPECT_FALSE(same_bits(play(distiller, 1), tiny.initial()));
  EXPECT_TRUE(same_bits(bits(distiller), loaded));
  EXPECT_TRUE(distiller.stopped());
  EXPECT_EQ(distiller.since(), 0);  // nothing to save
}

class RestoredDistiller : public DistillerTest, public ::testing::WithParamInterface<bool> {};

TEST_P(RestoredDistiller, GoesOnToTheSameBits) {
  DistillerOptions with = GetParam() ? reckless() : options();
  with.guard = true;
  Distiller straight = make(with), before = make(with), after = make(with);
  play(straight, 1);
  play(before, 1);
  after.restore(before.state());
  EXPECT_EQ(after.stopped(), before.stopped());
  for (int round = 2; round <= 3; ++round) EXPECT_TRUE(same_bits(play(straight, round), play(after, round)));
  EXPECT_TRUE(same_bits(straight.state().tensors, after.state().tensors));
  EXPECT_EQ(straight.since(), after.since());
}

INSTANTIATE_TEST_SUITE_P(LearningOrStopped, RestoredDistiller, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Stopped" : "Learning"; });

TEST_F(DistillerTest, HasNothingToSaveBeforeItHasTrained) {
  const fed::StrategyState state = make(options()).state();
  EXPECT_EQ(state.since, 0);
  EXPECT_TRUE(state.tensors.tensors.empty());
}

TEST_F(DistillerTest, RefusesASavedTeacherWithoutItsGuard) {
  Distiller unguarded = make(options());
  play(unguarded, 1);
  DistillerOptions with = options();
  with.guard = true;
  Distiller guarded = make(with);
  try {
    guarded.restore(unguarded.state());
    FAIL() << "restored";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), HasSubstr("guard.best_loss"));
  }
}

TEST_F(DistillerTest, RefusesAShareThatIsTooSmall) {
  EXPECT_THROW(Distiller(tiny_model("bert", 4), {.examples = examples, .rows = {}}, options()), Error);
  EXPECT_THROW(Distiller(tiny_model("bert", 4), {.examples = examples, .rows = {1}}, reckless()), Error);
  EXPECT_NO_THROW(Distiller(tiny_model("bert", 4), {.examples = examples, .rows = {1}}, options()));
}

TEST_F(DistillerTest, StopsBetweenStepsWhenAsked) {
  DistillerOptions with = options();
  int steps = 0;
  with.on_step = [&](double) { ++steps; };
  with.stop = [&] { return steps == 7; };  // 5 alone, then of both
  Distiller distiller = make(with);
  EXPECT_THROW(play(distiller, 1), Interrupted);
  EXPECT_EQ(steps, 7);
}

TEST_F(DistillerTest, ScoresATeacherOnlyWhenItHasChanged) {
  const auto validation = tiny_task(30, 2);
  FedKdLora strategy(std::make_shared<train::StudentTemplate>(tiny), {.examples = validation}, make(reckless()));
  const NamedTensors initial = strategy.initial();
  const fed::Evaluation start = strategy.evaluate(0, initial);
  const NamedTensors global = strategy.refine(1, initial);
  ASSERT_EQ(layout_of(global), strategy.layout());
  const fed::Evaluation first = strategy.evaluate(1, global);
  ASSERT_TRUE(start.teacher && first.teacher);
  EXPECT_EQ(first.teacher->loss, start.teacher->loss);  // the best teacher was the first
  EXPECT_NE(first.loss, start.loss);
  EXPECT_EQ(start.teacher->loss, train::evaluate(tiny_model("bert", 4), validation, {}).loss);
}

TEST_F(DistillerTest, RefusesATeacherOfAnotherShapeThanTheStudent) {
  const auto three_layers = [&] {
    return FedKdLora(std::make_shared<train::StudentTemplate>(tiny), {},
                     Distiller(tiny_model("bert", 3), share(), options()));
  };
  EXPECT_THROW(three_layers(), Error);
}

}  // namespace
}  // namespace fedtune::strategy
