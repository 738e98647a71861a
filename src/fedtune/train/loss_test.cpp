#include "fedtune/train/loss.h"

#include <cmath>
#include <vector>

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

namespace fedtune::train {
namespace {

TEST(CrossEntropy, IsTheMeanOverSentences) {
  const at::Tensor logits = at::tensor({1.5f, -0.5f, 0.25f, 2.0f, -3.0f, 1.0f}).view({3, 2});
  const at::Tensor labels = at::tensor({0, 0, 1}, at::kLong);
  const double by_hand = (std::log1p(std::exp(-2.0)) + std::log1p(std::exp(1.75)) + std::log1p(std::exp(-4.0))) / 3.0;
  EXPECT_NEAR(cross_entropy(logits, labels).item<double>(), by_hand, 1e-6);
}

TEST(CrossEntropy, HasTheSoftmaxGradient) {
  const at::Tensor logits = at::tensor({0.5f, -0.5f}).view({1, 2}).requires_grad_(true);
  cross_entropy(logits, at::tensor({1}, at::kLong)).backward();
  const double p0 = 1.0 / (1.0 + std::exp(-1.0));
  EXPECT_NEAR(logits.grad()[0][0].item<double>(), p0, 1e-6);
  EXPECT_NEAR(logits.grad()[0][1].item<double>(), -p0, 1e-6);
}

TEST(CrossEntropy, OfOneSentenceAgreesWithTheBatch) {
  const std::vector<float> logits = {0.25f, 2.0f, -1.0f};
  const at::Tensor batch = at::tensor(logits).view({1, 3});
  EXPECT_NEAR(cross_entropy(logits, 2), cross_entropy(batch, at::tensor({2}, at::kLong)).item<double>(), 1e-6);
}

TEST(CrossEntropy, OfOneSentenceDoesNotOverflow) {
  EXPECT_NEAR(cross_entropy(std::vector<float>{1000.0f, 0.0f}, 1), 1000.0, 1e-9);
}

}  // namespace
}  // namespace fedtune::train
