#include <thread>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/nn/kernels/bf16.h"
#include "fedtune/nn/ops.h"
#include "fedtune/nn/precision.h"
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

// `weight` [256, 1000].
void expect_same_bits_for_every_number_of_threads(const LinearWeight& weight) {
  const at::Tensor x = normal({151, 1000}, 1);
  const auto with_threads = [&](int threads) {
    const UseThreads use(threads);
    return linear(x, weight);
  };
  EXPECT_TRUE(at::equal(with_threads(1), with_threads(2)));
}

TEST(Linear, GivesTheSameBitsForEveryNumberOfThreads) {
  expect_same_bits_for_every_number_of_threads(frozen(normal({256, 1000}, 2), normal({256}, 3)));
}

TEST(Linear, CountsSubnormalNumbersAsZeroOnEveryThread) {
  const LinearWeight weight = frozen(at::ones({64, 32}) * 1e-20, {});
  const at::Tensor x = at::ones({200, 32}) * 1e-21;
  prepare_worker_thread();
  for (const int threads : {1, 2, 3}) {
    const UseThreads use(threads);
    EXPECT_EQ(linear(x, weight).abs().max().item<float>(), 0.0f) << threads << " threads";
  }
}

TEST(Linear, GivesARowTheSameBitsInEveryBatch) {
  const LinearWeight weight = frozen(normal({70, 800}, 2), normal({70}, 3));
  const at::Tensor x = normal({23, 800}, 1);
  EXPECT_TRUE(at::equal(linear(x, weight).slice(0, 5, 6), linear(x.slice(0, 5, 6), weight)));
}

at::Tensor rounded(const at::Tensor& x) {
  return x.to(at::kBFloat16).to(at::kFloat);
}

class LinearInBf16 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const kernels::Bf16Support& support = kernels::bf16_support(); support.kernels == nullptr) {
      GTEST_SKIP() << support.reason;
    }
  }
  static LinearWeight frozen(const at::Tensor& weight, const at::Tensor& bias) {
    LinearWeight result{.weight = weight, .bias = bias, .packed = nullptr};
    freeze(result, Precision::bf16);
    return result;
  }
};

TEST_F(LinearInBf16, RoundsBothOperandsAndNothingElse) {
  for (const std::int64_t rows : {1, 32, 37, 150}) {
    const at::Tensor w = normal({70, 200}, 2), bias = normal({70}, 3);
    const at::Tensor x = trained(normal({rows, 200}, 1));
    const at::Tensor y = linear(x, frozen(w, bias));
    EXPECT_LT(testing::relative_difference(y.detach(), rounded(x.detach()).matmul(rounded(w).t()) + bias), 1e-5);
    const at::Tensor dy = normal({rows, 70}, 4);
    y.backward(dy);
    EXPECT_LT(testing::relative_difference(x.grad(), rounded(dy).matmul(rounded(w))), 1e-5);
  }
}

TEST_F(LinearInBf16, GivesTheSameBitsForEveryNumberOfThreads) {
  expect_same_bits_for_every_number_of_threads(frozen(normal({256, 1000}, 2), normal({256}, 3)));
}

TEST_F(LinearInBf16, GivesTheSameBitsFromThreadsThatShareAWeight) {
  const LinearWeight weight = frozen(normal({256, 128}, 2), {});
  const auto gradient = [&](at::Tensor& result) {
    prepare_worker_thread();
    const at::Tensor x = trained(normal({50, 128}, 1));
    linear(x, weight).square().sum().backward();
    result = x.grad();
  };
  at::Tensor alone;
  std::thread([&] { gradient(alone); }).join();
  std::vector<at::Tensor> together(2);
  std::thread first([&] { gradient(together[0]); }), second([&] { gradient(together[1]); });
  first.join();
  second.join();
  EXPECT_TRUE(at::equal(together[0], alone) && at::equal(together[1], alone));
}

TEST(LinearFreeze, SaysWhyBf16IsNotThere) {
  if (kernels::bf16_support().kernels != nullptr) GTEST_SKIP() << "it is there";
  LinearWeight weight{.weight = normal({8, 16}, 2), .bias = {}, .packed = nullptr};
  EXPECT_THROW(freeze(weight, Precision::bf16), Error);
}

}  // namespace
}  // namespace fedtune::nn
