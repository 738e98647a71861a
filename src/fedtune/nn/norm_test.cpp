#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "fedtune/nn/ops.h"
#include "fedtune/nn/plain.h"
#include "fedtune/nn/testing.h"

namespace fedtune::nn {
namespace {

using testing::fifth;
using testing::none;
using testing::normal;
using testing::Operation;
using testing::Tensors;
using testing::trained;

// in: x, residual, gamma, beta, bias.
Operation norm_with(const Dropout& dropout, const RowIds& row_ids = {}) {
  return [=](const Tensors& in) {
    return Tensors{dropout_residual_layer_norm(in[0].clone(), in[4], in[1],
                                               {.gamma = in[2], .beta = in[3], .eps = 1e-12}, dropout, row_ids)};
  };
}

Tensors inputs(std::int64_t rows, std::int64_t features) {
  return {trained(normal({rows, features}, 1)), trained(normal({rows, features}, 2) + 0.5),
          trained(normal({features}, 3)), trained(normal({features}, 4)), trained(normal({features}, 5))};
}

TEST(DropoutResidualLayerNorm, EqualsItsTwinWithoutDropout) {
  for (const std::int64_t features : {5, 16, 37, 384, 768})
    testing::expect_equals_twin(norm_with(none), inputs(11, features));
}

TEST(DropoutResidualLayerNorm, EqualsItsTwinWithDropout) {
  for (const std::int64_t features : {16, 37, 768}) testing::expect_equals_twin(norm_with(fifth), inputs(11, features));
}

TEST(DropoutResidualLayerNorm, EqualsItsTwinOnPrunedRows) {
  testing::expect_equals_twin(norm_with(fifth, at::tensor({2, 9, 31}, at::kInt)), inputs(3, 48));
}

TEST(DropoutResidualLayerNorm, EqualsItsTwinWithFrozenWeights) {
  Tensors in = inputs(11, 48);
  for (const std::size_t i : {2, 3, 4}) in[i] = in[i].detach();
  testing::expect_equals_twin(norm_with(none), in);
  testing::expect_equals_twin(norm_with(fifth), in);
}

TEST(DropoutResidualLayerNorm, EqualsItsTwinWhereOnlyTheBranchIsTrained) {
  Tensors in = inputs(11, 48);
  for (const std::size_t i : {1, 2, 3, 4}) in[i] = in[i].detach();
  testing::expect_equals_twin(norm_with(fifth), in);
}

TEST(DropoutResidualLayerNorm, EqualsItsTwinWithoutBias) {
  const auto operation = [](const Tensors& in) {
    return Tensors{
        dropout_residual_layer_norm(in[0].clone(), {}, in[1], {.gamma = in[2], .beta = in[3], .eps = 1e-5}, fifth, {})};
  };
  Tensors in = inputs(11, 48);
  in.pop_back();
  testing::expect_equals_twin(operation, in);
}

TEST(DropoutResidualLayerNorm, DrawsTheSameMaskForwardAndBackward) {
  testing::expect_gradient_is_slope(norm_with({.p = 0.4, .key = {7, 8}}), inputs(12, 48), testing::in_float);
}

TEST(DropoutResidualLayerNorm, RunsUnderInferenceMode) {
  const Tensors in = inputs(5, 32);
  const at::Tensor expected = norm_with(none)(in)[0].detach();
  const c10::InferenceMode inference;
  EXPECT_TRUE(at::equal(norm_with(none)(in)[0], expected));
}

TEST(PlainDropoutResidualLayerNorm, GradientIsTheSlopeInDouble) {
  const auto plain = [](const Tensors& in) {
    return Tensors{plain::dropout_residual_layer_norm(in[0], in[4], in[1],
                                                      {.gamma = in[2], .beta = in[3], .eps = 1e-12}, fifth, {})};
  };
  Tensors in = inputs(5, 8);
  for (at::Tensor& x : in) x = trained(x.to(at::kDouble));
  testing::expect_gradient_is_slope(plain, in, testing::in_double);
}

}  // namespace
}  // namespace fedtune::nn
