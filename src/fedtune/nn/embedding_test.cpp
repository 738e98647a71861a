#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
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

// Six tokens, one twice.
EmbeddingIndex index() {
  return {.ids = at::tensor({3, 1, 4, 1, 5, 9}, at::kInt),
          .positions = at::tensor({0, 1, 2, 0, 1, 2}, at::kInt),
          .type_ids = at::tensor({0, 0, 1, 0, 1, 1}, at::kInt)};
}

// in: word, position, gamma, beta and, where there are types, type.
EmbeddingWeight weight_of(const Tensors& in) {
  return {.word = in[0],
          .position = in[1],
          .type = in.size() > 4 ? in[4] : at::Tensor(),
          .norm = {.gamma = in[2], .beta = in[3], .eps = 1e-12}};
}

Operation embed_with(const Dropout& dropout) {
  return [=](const Tensors& in) { return Tensors{embedding_layer_norm(index(), weight_of(in), dropout)}; };
}

Tensors inputs(std::int64_t features) {
  return {trained(normal({10, features}, 1)), trained(normal({4, features}, 2)), trained(normal({features}, 3)),
          trained(normal({features}, 4)), trained(normal({2, features}, 5))};
}

TEST(EmbeddingLayerNorm, EqualsItsTwin) {
  for (const std::int64_t features : {16, 37, 768}) {
    testing::expect_equals_twin(embed_with(none), inputs(features));
    testing::expect_equals_twin(embed_with(fifth), inputs(features));
  }
}

TEST(EmbeddingLayerNorm, EqualsItsTwinWithoutTokenTypes) {
  Tensors in = inputs(48);
  in.pop_back();
  testing::expect_equals_twin(embed_with(fifth), in);
}

TEST(EmbeddingLayerNorm, EqualsItsTwinWithOneTableTrained) {
  Tensors in = inputs(48);
  for (const std::size_t i : {0, 2, 3, 4}) in[i] = in[i].detach();
  testing::expect_equals_twin(embed_with(fifth), in);
}

TEST(EmbeddingLayerNorm, DrawsTheSameMaskForwardAndBackward) {
  testing::expect_gradient_is_slope(
      [](const Tensors& in) {
        return Tensors{embedding_layer_norm(index(), weight_of(in), {.p = 0.4, .key = {7, 8}})};
      },
      inputs(48), testing::in_float);
}

TEST(EmbeddingLayerNorm, FrozenNeedsNoGradient) {
  Tensors in = inputs(16);
  for (at::Tensor& x : in) x = x.detach();
  EXPECT_FALSE(embed_with(fifth)(in)[0].requires_grad());
}

TEST(EmbeddingLayerNorm, RunsUnderInferenceMode) {
  const Tensors in = inputs(32);
  const at::Tensor expected = embed_with(none)(in)[0].detach();
  const c10::InferenceMode inference;
  EXPECT_TRUE(at::equal(embed_with(none)(in)[0], expected));
}

TEST(EmbeddingLayerNorm, RefusesATokenTheModelDoesNotKnow) {
  EmbeddingIndex wrong = index();
  wrong.ids = at::tensor({3, 1, 10, 1, 5, 9}, at::kInt);
  EXPECT_THROW(embedding_layer_norm(wrong, weight_of(inputs(16)), none), Error);
}

TEST(EmbeddingLayerNorm, RefusesAPositionTheModelDoesNotKnow) {
  EmbeddingIndex wrong = index();
  wrong.positions = at::tensor({0, 1, 2, 0, 1, -1}, at::kInt);
  EXPECT_THROW(embedding_layer_norm(wrong, weight_of(inputs(16)), none), Error);
}

TEST(EmbeddingLayerNorm, RefusesATokenTypeTheModelDoesNotKnow) {
  EmbeddingIndex wrong = index();
  wrong.type_ids = at::tensor({0, 0, 2, 0, 0, 0}, at::kInt);
  EXPECT_THROW(embedding_layer_norm(wrong, weight_of(inputs(16)), none), Error);
}

TEST(PlainEmbeddingLayerNorm, GradientIsTheSlopeInDouble) {
  const auto plain = [](const Tensors& in) {
    return Tensors{plain::embedding_layer_norm(index(), weight_of(in), fifth)};
  };
  Tensors in = inputs(8);
  for (at::Tensor& x : in) x = trained(x.to(at::kDouble));
  testing::expect_gradient_is_slope(plain, in, testing::in_double);
}

}  // namespace
}  // namespace fedtune::nn
