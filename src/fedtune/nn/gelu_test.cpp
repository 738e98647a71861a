#include <ATen/core/Tensor.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "fedtune/nn/ops.h"
#include "fedtune/nn/plain.h"
#include "fedtune/nn/testing.h"

namespace fedtune::nn {
namespace {

using testing::normal;
using testing::Tensors;
using testing::trained;

// The operation may overwrite its input, so it gets a copy.
Tensors gelu_of(const Tensors& in) {
  return {bias_gelu(in[0].clone(), in.size() > 1 ? in[1] : at::Tensor())};
}

TEST(BiasGelu, EqualsItsTwin) {
  for (const std::int64_t features : {1, 16, 37, 3072})
    testing::expect_equals_twin(gelu_of, {trained(normal({9, features}, 1, 2.0)), trained(normal({features}, 2))});
}

TEST(BiasGelu, EqualsItsTwinWithoutBias) {
  testing::expect_equals_twin(gelu_of, {trained(normal({9, 40}, 1, 2.0))});
}

TEST(BiasGelu, GivesTheBiasNoGradientWhenItIsFrozen) {
  testing::expect_equals_twin(gelu_of, {trained(normal({9, 40}, 1, 2.0)), normal({40}, 2)});
}

TEST(BiasGelu, TrainsABiasOnAFrozenInput) {
  testing::expect_equals_twin(gelu_of, {normal({9, 40}, 1, 2.0), trained(normal({40}, 2))});
}

TEST(BiasGelu, RunsUnderInferenceMode) {
  const Tensors in{normal({9, 40}, 1), normal({40}, 2)};
  const at::Tensor expected = plain::bias_gelu(in[0], in[1]);
  const c10::InferenceMode inference;
  EXPECT_LT(testing::relative_difference(gelu_of(in)[0], expected), 1e-6);
}

TEST(BiasGelu, TellsAutogradThatItsInputIsGone) {
  const at::Tensor x = trained(normal({4, 8}, 1));
  const at::Tensor h = x.exp();  // exp keeps its result for its gradient
  const at::Tensor y = bias_gelu(h, {});
  EXPECT_THROW(y.sum().backward(), c10::Error);
}

TEST(PlainBiasGelu, GradientIsTheSlopeInDouble) {
  const auto plain = [](const Tensors& in) { return Tensors{plain::bias_gelu(in[0], in[1])}; };
  testing::expect_gradient_is_slope(
      plain, {trained(normal({6, 8}, 1).to(at::kDouble)), trained(normal({8}, 2).to(at::kDouble))}, testing::in_double);
}

}  // namespace
}  // namespace fedtune::nn
