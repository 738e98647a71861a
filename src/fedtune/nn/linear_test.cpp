#include <thread>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "fedtune/nn/ops.h"
#include "fedtune/nn/testing.h"
#include "fedtune/nn/thread.h"

namespace fedtune::nn {
namespace {

using testing::normal;
using testing::Tensors;
using testing::trained;

LinearWeight frozen(const at::Tensor& weight, const at::Tensor& bias) {
  LinearWeight result{.weight = weight, .bias = bias, .packed = nullptr};
  freeze(result);
  return result;
}

TEST(Linear, TrainsWeightAndBiasLikeItsTwin) {
  const auto operation = [](const Tensors& in) {
    return Tensors{linear(in[0], {.weight = in[1], .bias = in[2], .packed = nullptr})};
  };
  testing::expect_equals_twin(operation,
                              {trained(normal({19, 48}, 1)), trained(normal({21, 48}, 2)), trained(normal({21}, 3))});
}

TEST(Linear, FrozenGivesTheGradientOfItsInputLikeItsTwin) {
  const LinearWeight weight = frozen(normal({70, 48}, 2), normal({70}, 3));
  const auto operation = [&](const Tensors& in) { return Tensors{linear(in[0], weight)}; };
  testing::expect_equals_twin(operation, {trained(normal({37, 48}, 1))});
}

TEST(Linear, FrozenWeightMayHaveATrainedBias) {
  const LinearWeight weight = frozen(normal({70, 48}, 2), {});
  const auto operation = [&](const Tensors& in) {
    return Tensors{linear(in[0], {.weight = weight.weight, .bias = in[1], .packed = weight.packed})};
  };
  testing::expect_equals_twin(operation, {normal({37, 48}, 1), trained(normal({70}, 3))});
}

TEST(Linear, LeavesTheBiasToTheCallerWhenAsked) {
  const LinearWeight weight{.weight = normal({8, 16}, 2), .bias = at::ones({8}), .packed = nullptr};
  const at::Tensor x = normal({5, 16}, 1);
  EXPECT_LT(testing::relative_difference(linear_no_bias(x, weight) + 1, linear(x, weight)), 1e-6);
}

TEST(Linear, ComputesNoGradientWhereNoneIsNeeded) {
  const LinearWeight weight = frozen(normal({8, 16}, 2), normal({8}, 3));
  EXPECT_FALSE(linear(normal({5, 16}, 1), weight).requires_grad());

  const LinearWeight biased{.weight = normal({8, 16}, 2), .bias = trained(normal({8}, 3)), .packed = nullptr};
  const at::Tensor x = normal({5, 16}, 1);
  linear(x, biased).sum().backward();
  EXPECT_FALSE(x.grad().defined());
  EXPECT_FALSE(biased.weight.grad().defined());
  EXPECT_TRUE(biased.bias.grad().defined());
}

TEST(Linear, FreezingEndsTheNeedForAGradient) {
  EXPECT_FALSE(frozen(trained(normal({8, 16}, 2)), {}).weight.requires_grad());
}

TEST(Linear, RunsUnderInferenceMode) {
  const LinearWeight weight = frozen(normal({64, 48}, 2), normal({64}, 3));
  const at::Tensor x = normal({16, 48}, 1);
  const at::Tensor expected = linear(x, weight);
  const c10::InferenceMode inference;
  EXPECT_TRUE(at::equal(linear(x, weight), expected));
}

TEST(Linear, GivesTheSameBitsFromThreadsThatShareAWeight) {
  const LinearWeight weight = frozen(normal({256, 128}, 2), normal({256}, 3));
  const auto work = [&](Tensors& results) {
    prepare_worker_thread();
    for (const std::int64_t rows : {16, 48, 32, 16, 64}) {
      const at::Tensor x = trained(normal({rows, 128}, 1));
      const at::Tensor y = linear(x, weight);
      y.square().sum().backward();
      results.push_back(y.detach());
      results.push_back(x.grad());
    }
  };
  Tensors alone;
  std::thread([&] { work(alone); }).join();
  std::vector<Tensors> together(2);
  std::thread first([&] { work(together[0]); }), second([&] { work(together[1]); });
  first.join();
  second.join();
  for (const Tensors& results : together)
    for (std::size_t i = 0; i < alone.size(); ++i) EXPECT_TRUE(at::equal(results[i], alone[i])) << "tensor " << i;
}

TEST(Linear, GivesTheSameBitsForEveryNumberOfThreads) {
  const LinearWeight weight = frozen(normal({256, 1000}, 2), normal({256}, 3));
  const at::Tensor x = normal({151, 1000}, 1);
  const auto with_threads = [&](int threads) {
    const UseThreads use(threads);
    return linear(x, weight);
  };
  EXPECT_TRUE(at::equal(with_threads(1), with_threads(2)));
}

TEST(Linear, GivesARowTheSameBitsInEveryBatch) {
  const LinearWeight weight = frozen(normal({70, 800}, 2), normal({70}, 3));
  const at::Tensor x = normal({23, 800}, 1);
  EXPECT_TRUE(at::equal(linear(x, weight).slice(0, 5, 6), linear(x.slice(0, 5, 6), weight)));
}

}  // namespace
}  // namespace fedtune::nn
