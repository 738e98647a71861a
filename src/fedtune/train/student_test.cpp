#include "fedtune/train/student.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/train/evaluate.h"
#include "fedtune/train/test_support.h"
#include "fedtune/train/trained_leaves.h"

namespace fedtune::train {
namespace {

using testing::same_bits;
using testing::tiny_model;
using testing::tiny_student;
using testing::tiny_task;

TEST(StudentTemplate, SendsAdaptersAndHeadInThePeersOrder) {
  const StudentTemplate student = tiny_student(Trained::adapters);
  const Layout& layout = student.layout();
  ASSERT_EQ(layout.size(), 12u);  // 2 layers, 2 matrices, A and B; then the head's 4
  const std::string layer = "base_model.model.distilbert.transformer.layer.0.attention.";
  EXPECT_EQ(layout[0].name, layer + "q_lin.lora_A.weight");
  EXPECT_EQ(layout[1].name, layer + "q_lin.lora_B.weight");
  EXPECT_EQ(layout[2].name, layer + "v_lin.lora_A.weight");
  EXPECT_EQ(layout[8].name, "base_model.model.pre_classifier.weight");
  EXPECT_EQ(layout[11].name, "base_model.model.classifier.bias");
  EXPECT_EQ(layout[0].shape, (std::vector<std::int64_t>{4, 16}));
}

TEST(StudentTemplate, SendsEveryTensorOfTheCheckpointWhereAllAreTrained) {
  const StudentTemplate student = tiny_student(Trained::all_parameters);
  const models::SequenceClassifier model = tiny_model();
  ASSERT_EQ(student.layout().size(), model.parameters().size());
  EXPECT_EQ(student.layout().front().name, "distilbert.embeddings.word_embeddings.weight");
  EXPECT_TRUE(same_bits(student.initial(), io::named_tensors_from(model.parameters())));
}

TEST(StudentTemplate, DrawsTheSameAdaptersFromTheSameSeed) {
  const NamedTensors initial = tiny_student(Trained::adapters, 7).initial();
  EXPECT_TRUE(same_bits(initial, tiny_student(Trained::adapters, 7).initial()));
  EXPECT_FALSE(same_bits(initial, tiny_student(Trained::adapters, 8).initial()));
}

class StudentFor : public ::testing::TestWithParam<Trained> {};

TEST_P(StudentFor, LoadsWhatItSent) {
  const StudentTemplate student = tiny_student(GetParam());
  const NamedTensors global = tiny_student(GetParam(), 9).initial();
  EXPECT_TRUE(same_bits(student.travelling(student.for_training(global)), global));
  EXPECT_TRUE(same_bits(student.travelling(student.for_scoring(global)), global));
}

TEST_P(StudentFor, MakesModelsWithTensorsOfTheirOwn) {
  const StudentTemplate student = tiny_student(GetParam());
  const NamedTensors initial = student.initial();
  const models::SequenceClassifier one = student.for_training(initial);
  const models::SequenceClassifier other = student.for_training(initial);
  {
    const at::NoGradGuard no_grad;
    for (const at::Tensor& tensor : trained_leaves(one)) tensor.fill_(1.0);
  }
  EXPECT_TRUE(same_bits(student.travelling(other), initial));
  EXPECT_TRUE(same_bits(student.initial(), initial));
}

TEST_P(StudentFor, ScoresWithoutGradients) {
  const StudentTemplate student = tiny_student(GetParam());
  const models::SequenceClassifier model = student.for_scoring(student.initial());
  EXPECT_FALSE(model.classifier.weight.weight.requires_grad());
  EXPECT_FALSE(model.embeddings.weight.word.requires_grad());
}

TEST_P(StudentFor, ScoresTheSameTrainedOrNot) {
  const StudentTemplate student = tiny_student(GetParam());
  const auto examples = tiny_task(20);
  const NamedTensors initial = student.initial();
  EXPECT_NEAR(evaluate(student.for_training(initial), examples, {}).loss,
              evaluate(student.for_scoring(initial), examples, {}).loss, 1e-6);
}

TEST_P(StudentFor, RefusesTensorsOfAnotherLayout) {
  const StudentTemplate student = tiny_student(GetParam());
  NamedTensors global = student.initial();
  global.tensors.pop_back();
  EXPECT_THROW(student.for_training(global), Error);
}

INSTANTIATE_TEST_SUITE_P(BothSchemes, StudentFor, ::testing::Values(Trained::all_parameters, Trained::adapters),
                         [](const auto& info) {
                           return info.param == Trained::adapters ? "Adapters" : "AllParameters";
                         });

}  // namespace
}  // namespace fedtune::train
