#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
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

struct AttentionCase {
  std::vector<std::int32_t> lengths;
  std::int64_t rows, heads, head_dim;
};

// Lengths around one vector, one token alone, rows of padding, odd head sizes.
const std::vector<AttentionCase> cases{
    {{5, 1, 16, 17, 3}, 48, 2, 32}, {{1}, 1, 1, 8}, {{40, 33}, 80, 3, 7}, {{12}, 16, 2, 64}};

AttentionShape shape_of(const AttentionCase& c) {
  return {.offsets = testing::offsets_of(c.lengths), .heads = c.heads};
}

Tensors inputs(const AttentionCase& c, bool first_query_only = false) {
  const std::int64_t features = c.heads * c.head_dim;
  const std::int64_t queries = first_query_only ? static_cast<std::int64_t>(c.lengths.size()) : c.rows;
  return {trained(normal({queries, features}, 1)), trained(normal({c.rows, features}, 2)),
          trained(normal({c.rows, features}, 3))};
}

Operation attend(const AttentionShape& shape, const Dropout& dropout) {
  return [=](const Tensors& in) {
    const AttentionResult result = packed_attention(in[0], in[1], in[2], shape, dropout);
    return shape.probabilities ? Tensors{result.context, result.probabilities} : Tensors{result.context};
  };
}

TEST(PackedAttention, EqualsItsTwin) {
  for (const AttentionCase& c : cases) {
    testing::expect_equals_twin(attend(shape_of(c), none), inputs(c));
    testing::expect_equals_twin(attend(shape_of(c), fifth), inputs(c));
  }
}

TEST(PackedAttention, EqualsItsTwinOnALongSentence) {
  const AttentionCase c{{512, 2}, 528, 1, 32};
  testing::expect_equals_twin(attend(shape_of(c), fifth), inputs(c), 2e-5);
}

TEST(PackedAttention, EqualsItsTwinWithProbabilities) {
  for (const AttentionCase& c : cases) {
    AttentionShape shape = shape_of(c);
    shape.probabilities = true;
    testing::expect_equals_twin(attend(shape, none), inputs(c));
    testing::expect_equals_twin(attend(shape, fifth), inputs(c));
  }
}

TEST(PackedAttention, DifferentiatesThroughTheProbabilitiesAlone) {
  const AttentionCase& c = cases.front();
  AttentionShape shape = shape_of(c);
  shape.probabilities = true;
  const auto probabilities = [&](const Tensors& in) { return Tensors{attend(shape, fifth)(in)[1]}; };
  Tensors in = inputs(c);
  in[2] = in[2].detach();
  testing::expect_equals_twin(probabilities, in);
}

TEST(PackedAttention, EqualsItsTwinWhereTheFirstQueryAlone) {
  for (const AttentionCase& c : cases) {
    AttentionShape shape = shape_of(c);
    shape.first_query_only = true;
    testing::expect_equals_twin(attend(shape, none), inputs(c, true));
    testing::expect_equals_twin(attend(shape, fifth), inputs(c, true));
  }
}

TEST(PackedAttention, FirstQueryAloneGetsTheContextItHasAmongAll) {
  const AttentionCase& c = cases.front();
  const Tensors in = inputs(c);
  AttentionShape shape = shape_of(c);
  const at::Tensor rows = shape.offsets.narrow(0, 0, 5);
  const at::Tensor whole = attend(shape, fifth)(in)[0].index_select(0, rows);
  shape.first_query_only = true;
  const at::Tensor first = attend(shape, fifth)({in[0].index_select(0, rows), in[1], in[2]})[0];
  EXPECT_LT(testing::relative_difference(first, whole), 1e-6);
}

TEST(PackedAttention, ProbabilitiesOfAQuerySumToOne) {
  const AttentionCase c{{3}, 3, 2, 16};
  AttentionShape shape = shape_of(c);
  shape.probabilities = true;
  const at::Tensor sums = attend(shape, fifth)(inputs(c))[1].view({3, 3, 2}).sum(1);  // [queries, heads]
  EXPECT_LT(testing::relative_difference(sums, at::ones({3, 2})), 1e-6);
}

TEST(PackedAttention, KeepsSentencesApart) {
  const AttentionCase& c = cases.front();
  const Tensors in = inputs(c);
  const at::Tensor before = attend(shape_of(c), none)(in)[0];
  at::Tensor changed = in[2].detach().clone();
  changed[0].add_(1.0);  // a value of the first sentence
  const at::Tensor after = attend(shape_of(c), none)({in[0], in[1], changed})[0];
  EXPECT_FALSE(at::equal(after.narrow(0, 0, 5), before.narrow(0, 0, 5)));
  EXPECT_TRUE(at::equal(after.narrow(0, 5, 43), before.narrow(0, 5, 43)));
}

TEST(PackedAttention, RowsBehindTheLastSentenceAreZero) {
  const AttentionCase& c = cases.front();
  const at::Tensor context = attend(shape_of(c), fifth)(inputs(c))[0];
  EXPECT_EQ(context.narrow(0, 42, 6).abs().max().item<float>(), 0.0f);
}

TEST(PackedAttention, DrawsTheSameMaskForwardAndBackward) {
  const AttentionCase c{{5, 20, 3}, 28, 2, 16};
  AttentionShape shape = shape_of(c);
  shape.probabilities = true;
  testing::expect_gradient_is_slope(attend(shape, {.p = 0.4, .key = {7, 8}}), inputs(c), testing::in_float);
}

TEST(PackedAttention, RunsUnderInferenceMode) {
  const AttentionCase& c = cases.front();
  const Tensors in = inputs(c);
  const at::Tensor expected = attend(shape_of(c), none)(in)[0].detach();
  const c10::InferenceMode inference;
  EXPECT_TRUE(at::equal(attend(shape_of(c), none)(in)[0], expected));
}

TEST(PackedAttention, RefusesAnEmptySentence) {
  const AttentionCase c{{3, 0, 2}, 5, 1, 8};
  EXPECT_THROW(attend(shape_of(c), none)(inputs(c)), Error);
}

TEST(PackedAttention, RefusesMoreTokensThanRows) {
  const AttentionCase c{{3, 4}, 5, 1, 8};
  EXPECT_THROW(attend(shape_of(c), none)(inputs(c)), Error);
}

TEST(PackedAttention, RefusesHeadsThatDoNotDivideTheFeatures) {
  const AttentionCase c{{3}, 3, 1, 8};
  AttentionShape shape = shape_of(c);
  shape.heads = 3;
  EXPECT_THROW(attend(shape, none)(inputs(c)), Error);
}

TEST(PlainPackedAttention, GradientIsTheSlopeInDouble) {
  const AttentionCase c{{5, 1, 3}, 11, 2, 4};
  AttentionShape shape = shape_of(c);
  shape.probabilities = true;
  const auto plain = [&](const Tensors& in) {
    const AttentionResult result = plain::packed_attention(in[0], in[1], in[2], shape, fifth);
    return Tensors{result.context, result.probabilities};
  };
  Tensors in = inputs(c);
  for (at::Tensor& x : in) x = trained(x.to(at::kDouble));
  testing::expect_gradient_is_slope(plain, in, testing::in_double);
}

}  // namespace
}  // namespace fedtune::nn
