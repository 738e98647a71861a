#include "fedtune/train/teacher_guard.h"

#include <limits>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "fedtune/models/checkpoint.h"
#include "fedtune/train/test_support.h"
#include "fedtune/train/trainer.h"

namespace fedtune::train {
namespace {

using testing::same_bits;

class TeacherGuardTest : public ::testing::Test {
 protected:
  NamedTensors bits() const { return io::named_tensors_from(teacher.parameters()); }
  // A copy, for the teacher's tensors change in place.
  NamedTensors copied_bits() const { return io::named_tensors_from(models::trainable_copy(teacher).parameters()); }

  // Moves the head's bias towards one class: away from the truth of every other sentence.
  void spoil() const {
    const at::NoGradGuard no_grad;
    teacher.classifier.weight.bias[0] += 20.0;
  }
  void improve() {
    TrainOptions training{.epochs = 10, .batch_size = 8};
    training.phase.optimizer.lr = 3e-3;  // at 1e-2 a rounding decides whether it diverges after it has learnt the task
    train(teacher, testing::tiny_task(100), training);
  }

  models::SequenceClassifier teacher = models::trainable_copy(testing::tiny_model("bert"));
  TeacherGuard guard{testing::tiny_task(40, 2), {}};
};

TEST_F(TeacherGuardTest, LetsATeacherThatImprovesGoOn) {
  guard.begin(teacher);
  const double before = guard.state().best_loss;
  improve();
  EXPECT_TRUE(guard.check(teacher));
  EXPECT_LT(guard.state().best_loss, before);
  EXPECT_FALSE(guard.state().stopped);
  EXPECT_TRUE(teacher.classifier.weight.weight.requires_grad());
}

TEST_F(TeacherGuardTest, RestoresTheBestTeacherAndFreezesItOnceTheLossRises) {
  guard.begin(teacher);
  improve();
  ASSERT_TRUE(guard.check(teacher));
  const NamedTensors best = copied_bits();
  const double best_loss = guard.state().best_loss;
  spoil();
  EXPECT_FALSE(guard.check(teacher));
  EXPECT_TRUE(same_bits(bits(), best));
  EXPECT_TRUE(guard.state().stopped);
  EXPECT_EQ(guard.state().best_loss, best_loss);
  EXPECT_FALSE(teacher.classifier.weight.weight.requires_grad());
}

TEST_F(TeacherGuardTest, CountsTheTeacherItBeganWith) {
  guard.begin(teacher);
  const NamedTensors first = copied_bits();
  spoil();
  EXPECT_FALSE(guard.check(teacher));
  EXPECT_TRUE(same_bits(bits(), first));
}

TEST_F(TeacherGuardTest, StopsATeacherWhoseLossIsNotANumber) {
  guard.begin(teacher);
  {
    const at::NoGradGuard no_grad;
    teacher.classifier.weight.bias.fill_(std::numeric_limits<float>::quiet_NaN());
  }
  EXPECT_FALSE(guard.check(teacher));
}

TEST_F(TeacherGuardTest, GoesOnFromASavedState) {
  guard.begin(teacher);
  improve();
  ASSERT_TRUE(guard.check(teacher));
  TeacherGuard other(testing::tiny_task(40, 2), {});
  other.restore(guard.state());
  other.begin(teacher);
  EXPECT_EQ(other.state().best_loss, guard.state().best_loss);
  const NamedTensors best = copied_bits();
  spoil();
  EXPECT_FALSE(other.check(teacher));
  EXPECT_TRUE(same_bits(bits(), best));
}

}  // namespace
}  // namespace fedtune::train
