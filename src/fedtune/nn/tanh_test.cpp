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

Tensors tanh_of(const Tensors& in) {
  return {tanh(in[0])};
}

TEST(Tanh, EqualsItsTwin) {
  for (const std::int64_t features : {1, 16, 37, 768}) {
    testing::expect_equals_twin(tanh_of, {trained(normal({9, features}, 1, 2.0))});
  }
}

TEST(Tanh, EqualsItsTwinOnAView) {
  testing::expect_equals_twin(tanh_of, {trained(normal({9, 40}, 1)).t()});
}

TEST(Tanh, RunsUnderInferenceMode) {
  const Tensors in{normal({9, 40}, 1)};
  const at::Tensor expected = plain::tanh(in[0]);
  const c10::InferenceMode inference;
  EXPECT_LT(testing::relative_difference(tanh_of(in)[0], expected), 1e-6);
}

TEST(PlainTanh, GradientIsTheSlopeInDouble) {
  const auto plain = [](const Tensors& in) { return Tensors{plain::tanh(in[0])}; };
  testing::expect_gradient_is_slope(plain, {trained(normal({6, 8}, 1).to(at::kDouble))}, testing::in_double);
}

}  // namespace
}  // namespace fedtune::nn
