// GELU, tanh, products, column sums and transposition.
#pragma once

#include "fedtune/nn/kernels/kernels.h"
#include "fedtune/nn/kernels/math.h"
#include "fedtune/nn/kernels/transpose.h"

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

static void gelu(const GeluForward& args) {
  for (int64_t row = 0; row < args.rows; ++row) {
    const int64_t start = row * args.features;
    for_each_vector(args.features, [&](int64_t first, int64_t count) {
      Floats x = load(args.x + start + first, count);
      if (args.bias) x += load(args.bias + first, count);
      const Gelu result = gelu(x);
      if (args.derivative) store(args.derivative + start + first, result.derivative, count);
      store(args.y + start + first, result.value, count);
    });
  }
}

static void tanh(int64_t count, const float* x, float* y) {
  for_each_vector(count, [&](int64_t first, int64_t part) { store(y + first, tanh(load(x + first, part)), part); });
}

static void tanh_backward(int64_t count, const float* dy, const float* y, float* dx) {
  for_each_vector(count, [&](int64_t first, int64_t part) {
    const Floats value = load(y + first, part);
    store(dx + first, load(dy + first, part) * (1.0f - value * value), part);
  });
}

static void multiply(int64_t count, const float* x, const float* y, float* z) {
  for_each_vector(count, [&](int64_t first, int64_t part) {
    store(z + first, load(x + first, part) * load(y + first, part), part);
  });
}

static void column_sum(const ColumnSum& args) {
  for (int64_t row = 0; row < args.rows; ++row)
    for_each_vector(args.features, [&](int64_t first, int64_t count) {
      store(args.sum + first, load(args.sum + first, count) + load(args.x + row * args.stride + first, count), count);
    });
}

static void exp(int64_t count, const float* x, float* y) {
  for_each_vector(count,
                  [&](int64_t first, int64_t part) { store(y + first, exp_of_negative(load(x + first, part)), part); });
}

static void transpose(int64_t rows, int64_t columns, const float* x, int64_t x_stride, float* y) {
  transpose_rectangle(rows, columns, {x, x_stride, y, rows});
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
