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

using testing::none;
using testing::normal;
using testing::Tensors;
using testing::trained;

constexpr Dropout tenth{.p = 0.1, .key = {5, 6}};

struct LoraCase {
  std::int64_t rows, in, out, rank;
};

LinearWeight frozen(const LoraCase& c) {
  LinearWeight weight{.weight = normal({c.out, c.in}, 2, 0.2), .bias = normal({c.out}, 3), .packed = nullptr};
  freeze(weight);
  return weight;
}

Tensors inputs(const LoraCase& c) {
  return {trained(normal({c.rows, c.in}, 1)), trained(normal({c.rank, c.in}, 4)), trained(normal({c.out, c.rank}, 5))};
}

testing::Operation operation(const LoraCase& c, const Dropout& dropout, const RowIds& row_ids = {}) {
  return [weight = frozen(c), dropout, row_ids](const Tensors& in) {
    return Tensors{lora_linear(in[0], weight, {.a = in[1], .b = in[2], .scale = 2.0}, dropout, row_ids)};
  };
}

TEST(LoraLinear, EqualsItsTwinWithoutDropout) {
  for (const LoraCase& c :
       {LoraCase{48, 64, 96, 8}, LoraCase{1, 16, 16, 1}, LoraCase{23, 37, 53, 5}, LoraCase{32, 768, 768, 16}})
    testing::expect_equals_twin(operation(c, none), inputs(c));
}

TEST(LoraLinear, EqualsItsTwinWithDropout) {
  for (const LoraCase& c : {LoraCase{48, 64, 96, 8}, LoraCase{23, 37, 53, 5}, LoraCase{17, 384, 384, 4}})
    testing::expect_equals_twin(operation(c, tenth), inputs(c));
}

TEST(LoraLinear, EqualsItsTwinOnPrunedRows) {
  const LoraCase c{3, 64, 48, 8};
  testing::expect_equals_twin(operation(c, tenth, at::tensor({0, 11, 40}, at::kInt)), inputs(c));
}

TEST(LoraLinear, TrainsTheWeightItselfLikeItsTwin) {
  const auto operation = [](const Tensors& in) {
    const LinearWeight weight{.weight = in[1], .bias = in[2], .packed = nullptr};
    return Tensors{lora_linear(in[0], weight, {.a = in[3], .b = in[4], .scale = 0.5}, tenth, {})};
  };
  testing::expect_equals_twin(operation,
                              {trained(normal({20, 32}, 1)), trained(normal({24, 32}, 2)), trained(normal({24}, 3)),
                               trained(normal({4, 32}, 4)), trained(normal({24, 4}, 5))});
}

TEST(LoraLinear, DrawsTheSameMaskForwardAndBackward) {
  const LoraCase c{24, 48, 32, 4};
  testing::expect_gradient_is_slope(operation(c, {.p = 0.4, .key = {7, 8}}), inputs(c), testing::in_float);
}

TEST(LoraLinear, LowestAdapterAsksForNoGradientOfItsInput) {
  const LoraCase c{16, 32, 32, 4};
  const Tensors in = inputs(c);
  testing::expect_equals_twin(operation(c, tenth), {in[0].detach(), in[1], in[2]});
}

TEST(LoraLinear, RunsUnderInferenceMode) {
  const LoraCase c{16, 32, 32, 4};
  const Tensors in = inputs(c);
  const at::Tensor expected = operation(c, none)(in)[0].detach();
  const c10::InferenceMode inference;
  EXPECT_TRUE(at::equal(operation(c, none)(in)[0], expected));
}

TEST(PlainLoraLinear, GradientIsTheSlopeInDouble) {
  const auto plain = [](const Tensors& in) {
    const LinearWeight weight{.weight = in[1], .bias = in[2], .packed = nullptr};
    return Tensors{plain::lora_linear(in[0], weight, {.a = in[3], .b = in[4], .scale = 0.5}, tenth, {})};
  };
  Tensors in{normal({6, 8}, 1), normal({5, 8}, 2), normal({5}, 3), normal({2, 8}, 4), normal({5, 2}, 5)};
  for (at::Tensor& x : in) x = trained(x.to(at::kDouble));
  testing::expect_gradient_is_slope(plain, in, testing::in_double);
}

}  // namespace
}  // namespace fedtune::nn
