// How the tests of this folder compare an operation with its twin and with finite differences. Tests only.
#pragma once

#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "fedtune/nn/dropout.h"

namespace fedtune::nn::testing {

inline constexpr Dropout none{};
inline constexpr Dropout fifth{.p = 0.2, .key = {3, 4}};

using Tensors = std::vector<at::Tensor>;
// Outputs from inputs. Must not keep the inputs.
using Operation = std::function<Tensors(const Tensors&)>;

// Normal numbers, the same on every run; `seed` tells tensors apart.
at::Tensor normal(std::vector<std::int64_t> shape, std::uint64_t seed, double scale = 1.0);
// The same tensor, needing a gradient.
at::Tensor trained(const at::Tensor& x);
// int32 [sentences + 1]: 0 and the running sum of the lengths.
at::Tensor offsets_of(const std::vector<std::int32_t>& lengths);

struct Outcome {
  Tensors outputs;
  Tensors gradients;  // of a random projection of the outputs, per input; undefined where none arrived
};
// Runs on copies of the inputs, forward and backward.
Outcome run(const Operation& operation, const Tensors& inputs);

// Expects the fused operation, with every set of kernels this processor has, to agree with its plain twin: outputs and
// gradients within `tolerance` of the largest element.
void expect_equals_twin(const Operation& operation, const Tensors& inputs, double tolerance = 1e-5);

// Expects the gradient along a random direction of every input to agree with a central difference of width `step`.
struct Difference {
  double step, tolerance;
};
inline constexpr Difference in_double{.step = 1e-6, .tolerance = 1e-7};
inline constexpr Difference in_float{.step = 1e-2, .tolerance = 2e-3};
void expect_gradient_is_slope(const Operation& operation, const Tensors& inputs, Difference difference);

// |a - b| at its largest, over |b| at its largest.
double relative_difference(const at::Tensor& a, const at::Tensor& b);

}  // namespace fedtune::nn::testing
