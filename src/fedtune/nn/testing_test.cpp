#include "fedtune/nn/testing.h"

#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "fedtune/base/random.h"
#include "fedtune/nn/kernels/select.h"
#include "fedtune/nn/ops.h"

namespace fedtune::nn::testing {
namespace {

double project(const Tensors& outputs) {
  double sum = 0.0;
  for (std::size_t i = 0; i < outputs.size(); ++i)
    sum += (outputs[i].detach().to(at::kDouble) * normal(outputs[i].sizes().vec(), 1000 + i).to(at::kDouble))
               .sum()
               .item<double>();
  return sum;
}

}  // namespace

at::Tensor normal(std::vector<std::int64_t> shape, std::uint64_t seed, double scale) {
  at::Tensor x = at::empty(shape, at::kFloat);
  RandomStream random({.seed = seed});
  float* const element = x.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < x.numel(); ++i) element[i] = static_cast<float>(random.normal() * scale);
  return x;
}

at::Tensor trained(const at::Tensor& x) {
  return x.detach().clone().set_requires_grad(true);
}

at::Tensor offsets_of(const std::vector<std::int32_t>& lengths) {
  at::Tensor offsets = at::zeros({static_cast<std::int64_t>(lengths.size()) + 1}, at::kInt);
  std::int32_t* const offset = offsets.mutable_data_ptr<std::int32_t>();
  for (std::size_t s = 0; s < lengths.size(); ++s) offset[s + 1] = offset[s] + lengths[s];
  return offsets;
}

Outcome run(const Operation& operation, const Tensors& inputs) {
  Tensors leaves;
  for (const at::Tensor& input : inputs)
    leaves.push_back(input.detach().clone().set_requires_grad(input.requires_grad()));
  const Tensors outputs = operation(leaves);
  at::Tensor loss;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const at::Tensor term =
        (outputs[i] * normal(outputs[i].sizes().vec(), 1000 + i).to(outputs[i].scalar_type())).sum();
    loss = loss.defined() ? loss + term : term;
  }
  if (loss.requires_grad()) loss.backward();
  Outcome outcome{.outputs = outputs, .gradients = {}};
  for (const at::Tensor& leaf : leaves) outcome.gradients.push_back(leaf.grad());
  return outcome;
}

double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return INFINITY;
  if (a.numel() == 0) return 0.0;
  const double size = b.detach().abs().max().item<double>();
  return (a.detach() - b.detach()).abs().max().item<double>() / (size > 0.0 ? size : 1.0);
}

void expect_equals_twin(const Operation& operation, const Tensors& inputs, double tolerance) {
  Outcome twin;
  {
    PlainScope plain;
    twin = run(operation, inputs);
  }
  for (const kernels::Kernels* set : kernels::available()) {
    SCOPED_TRACE(set->name);
    const kernels::UseKernels use(*set);
    const Outcome fused = run(operation, inputs);
    ASSERT_EQ(fused.outputs.size(), twin.outputs.size());
    for (std::size_t i = 0; i < twin.outputs.size(); ++i)
      EXPECT_LE(relative_difference(fused.outputs[i], twin.outputs[i]), tolerance) << "output " << i;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      ASSERT_EQ(fused.gradients[i].defined(), inputs[i].requires_grad()) << "gradient of input " << i;
      if (!inputs[i].requires_grad()) continue;
      EXPECT_LE(relative_difference(fused.gradients[i], twin.gradients[i]), tolerance) << "gradient of input " << i;
    }
  }
}

void expect_gradient_is_slope(const Operation& operation, const Tensors& inputs, Difference difference) {
  const Outcome outcome = run(operation, inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].requires_grad()) continue;
    ASSERT_TRUE(outcome.gradients[i].defined()) << "input " << i;
    const at::Tensor direction = normal(inputs[i].sizes().vec(), 2000 + i).to(inputs[i].scalar_type());
    const auto moved = [&](double step) {
      Tensors copies;
      for (const at::Tensor& input : inputs) copies.push_back(input.detach().clone());
      copies[i] += direction * step;
      return project(operation(copies));
    };
    const double slope = (moved(difference.step) - moved(-difference.step)) / (2.0 * difference.step);
    const double gradient = (outcome.gradients[i] * direction).to(at::kDouble).sum().item<double>();
    const double size = outcome.gradients[i].to(at::kDouble).norm().item<double>();
    EXPECT_NEAR(gradient, slope, difference.tolerance * size) << "input " << i;
  }
}

TEST(Testing, FindsAWrongGradient) {
  // x^2 that claims the gradient x.
  const auto check = [] {
    const Operation wrong = [](const Tensors& in) { return Tensors{in[0] * in[0].detach()}; };
    expect_gradient_is_slope(wrong, {trained(normal({4, 4}, 1).to(at::kDouble))}, in_double);
  };
  ::testing::TestPartResultArray failures;
  {
    const ::testing::ScopedFakeTestPartResultReporter reporter(&failures);
    check();
  }
  EXPECT_EQ(failures.size(), 1);
}

}  // namespace fedtune::nn::testing
