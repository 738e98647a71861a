// Every operation gives the same bits on any number of threads, forward and backward.
#include <ATen/ops/equal.h>
#include <ATen/ops/randint.h>
#include <gtest/gtest.h>

#include "fedtune/nn/kernels/select.h"
#include "fedtune/nn/ops.h"
#include "fedtune/nn/testing.h"
#include "fedtune/nn/thread.h"

namespace fedtune::nn {
namespace {

using testing::fifth;
using testing::normal;
using testing::Operation;
using testing::Outcome;
using testing::Tensors;
using testing::trained;

constexpr std::int64_t rows = 150, features = 400;

void expect_equal(const Tensors& a, const Tensors& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].defined(), b[i].defined()) << "tensor " << i;
    EXPECT_TRUE(!a[i].defined() || at::equal(a[i], b[i])) << "tensor " << i;
  }
}

void expect_same_bits(const Operation& operation, const Tensors& inputs) {
  for (const kernels::Kernels* set : kernels::available()) {
    SCOPED_TRACE(set->name);
    const kernels::UseKernels use(*set);
    const auto with_threads = [&](int threads) {
      const UseThreads use_threads(threads);
      return testing::run(operation, inputs);
    };
    const Outcome one = with_threads(1), two = with_threads(2);
    expect_equal(one.outputs, two.outputs);
    expect_equal(one.gradients, two.gradients);
  }
}

TEST(Threads, GiveALinearLayerThatIsTrainedTheSameBits) {
  expect_same_bits(
      [](const Tensors& in) { return Tensors{linear(in[0], {.weight = in[1], .bias = in[2], .packed = nullptr})}; },
      {trained(normal({rows, features}, 1)), trained(normal({500, features}, 2)), trained(normal({500}, 3))});
}

TEST(Threads, GiveAnAdapterTheSameBits) {
  LinearWeight weight{.weight = normal({500, features}, 1), .bias = normal({500}, 2), .packed = nullptr};
  freeze(weight);
  expect_same_bits(
      [weight](const Tensors& in) {
        return Tensors{lora_linear(in[0], weight, {.a = in[1], .b = in[2], .scale = 2.0}, fifth, {})};
      },
      {trained(normal({rows, features}, 3)), trained(normal({8, features}, 4)), trained(normal({500, 8}, 5))});
}

TEST(Threads, GiveAnActivationTheSameBits) {
  expect_same_bits([](const Tensors& in) { return Tensors{bias_gelu(in[0].clone(), in[1])}; },
                   {trained(normal({rows, features}, 1)), trained(normal({features}, 2))});
}

TEST(Threads, GiveANormTheSameBits) {
  expect_same_bits(
      [](const Tensors& in) {
        return Tensors{
            dropout_residual_layer_norm(in[0].clone(), in[4], in[1], {.gamma = in[2], .beta = in[3]}, fifth, {})};
      },
      {trained(normal({rows, features}, 1)), trained(normal({rows, features}, 2)), trained(normal({features}, 3)),
       trained(normal({features}, 4)), trained(normal({features}, 5))});
}

TEST(Threads, GiveAnEmbeddingTheSameBits) {
  const at::Tensor ids = at::randint(50, {rows}).to(at::kInt), positions = at::randint(20, {rows}).to(at::kInt);
  expect_same_bits(
      [=](const Tensors& in) {
        return Tensors{embedding_layer_norm(
            {.ids = ids, .positions = positions, .type_ids = {}},
            {.word = in[0], .position = in[1], .type = {}, .norm = {.gamma = in[2], .beta = in[3]}}, fifth)};
      },
      {trained(normal({50, features}, 1)), trained(normal({20, features}, 2)), trained(normal({features}, 3)),
       trained(normal({features}, 4))});
}

TEST(Threads, GiveAttentionTheSameBits) {
  for (const bool first_query_only : {false, true}) {
    const AttentionShape shape{.offsets = testing::offsets_of({5, 40, 1, 17, 30, 9, 48}),
                               .heads = 4,
                               .first_query_only = first_query_only,
                               .probabilities = !first_query_only};
    expect_same_bits(
        [shape](const Tensors& in) {
          const AttentionResult result = packed_attention(in[0], in[1], in[2], shape, fifth);
          return shape.probabilities ? Tensors{result.context, result.probabilities} : Tensors{result.context};
        },
        {trained(normal({first_query_only ? 7 : rows, features}, 1)), trained(normal({rows, features}, 2)),
         trained(normal({rows, features}, 3))});
  }
}

}  // namespace
}  // namespace fedtune::nn
