#include "fedtune/nn/matrix.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include "fedtune/base/flush_denormals.h"
#include "fedtune/base/profile.h"
#include "fedtune/nn/fused.h"
#include "fedtune/nn/kernels/select.h"
#include "fedtune/nn/parallel.h"

namespace fedtune::nn {
namespace {

using kernels::Kernels;
using kernels::Source;

// x W^T sums over W's columns, dy W over its rows.
Source forward_source(const at::Tensor& w) {
  return {.depth = w.size(1), .columns = w.size(0), .data = read(w), .depth_stride = 1, .column_stride = w.size(1)};
}
Source backward_source(const at::Tensor& w) {
  return {.depth = w.size(0), .columns = w.size(1), .data = read(w), .depth_stride = w.size(1), .column_stride = 1};
}

// [rows, depth] in place, possibly transposed.
struct LeftMatrix {
  std::int64_t rows;
  const float* data;
  std::int64_t row_stride, depth_stride;
};
LeftMatrix left(const at::Tensor& x) {
  return {.rows = x.size(0), .data = read(x), .row_stride = x.size(1), .depth_stride = 1};
}
LeftMatrix left_transposed(const at::Tensor& x) {
  return {.rows = x.size(1), .data = read(x), .row_stride = 1, .depth_stride = x.size(1)};
}

at::Tensor pack(const Kernels& kernels, const Source& b) {
  at::Tensor panels = at::empty({kernels.packed_size(b.depth, b.columns)}, at::kFloat);
  kernels.pack(b, write(panels));
  return panels;
}

struct Right {
  Source source;
  at::Tensor panels{};  // undefined: packed on the way
};

// Threads take rows, never parts of a sum.
at::Tensor multiply(const Kernels& kernels, const LeftMatrix& a, const Right& b, const at::Tensor& bias) {
  ProfileScope scope(Work::products);
  scope.count(2.0 * static_cast<double>(a.rows) * static_cast<double>(b.source.depth * b.source.columns));
  at::Tensor product = at::empty({a.rows, b.source.columns}, at::kFloat);
  constexpr std::int64_t fewest_rows = 32;
  parallel_rows(a.rows, fewest_rows, [&](std::int64_t first, std::int64_t last) {
    const FlushDenormals flush;
    const at::Tensor scratch = b.panels.defined() ? at::Tensor() : at::empty({kernels::product_scratch}, at::kFloat);
    kernels.matrix_product({.rows = last - first,
                            .a = a.data + first * a.row_stride,
                            .a_row_stride = a.row_stride,
                            .a_depth_stride = a.depth_stride,
                            .b = b.source,
                            .packed = read(b.panels),
                            .bias = read(bias),
                            .c = write(product) + first * b.source.columns,
                            .scratch = write(scratch)});
  });
  return product;
}

}  // namespace

PackedWeight::PackedWeight(const at::Tensor& weight)
    : kernels_(kernels::active()), weight_(weight.detach()), panels_(pack(kernels_, forward_source(weight_))) {}

at::Tensor PackedWeight::forward(const at::Tensor& x, const at::Tensor& bias) const {
  return multiply(kernels_, left(x), {.source = forward_source(weight_), .panels = panels_}, bias);
}

at::Tensor PackedWeight::backward(const at::Tensor& dy) const {
  const Source source = backward_source(weight_);
  std::call_once(transposed_once_, [&] { transposed_ = pack(kernels_, source); });
  return multiply(kernels_, left(dy), {.source = source, .panels = transposed_}, {});
}

at::Tensor product_forward(const at::Tensor& x, const LinearWeight& weight, const at::Tensor& bias) {
  if (weight.packed) return weight.packed->forward(x, bias);
  const at::Tensor w = weight.weight.contiguous();
  return multiply(kernels::active(), left(x), {.source = forward_source(w)}, bias);
}

at::Tensor product_backward(const at::Tensor& dy, const LinearWeight& weight) {
  if (weight.packed) return weight.packed->backward(dy);
  const at::Tensor w = weight.weight.contiguous();
  return multiply(kernels::active(), left(dy), {.source = backward_source(w)}, {});
}

at::Tensor product_weight(const at::Tensor& dy, const at::Tensor& x) {
  return multiply(kernels::active(), left_transposed(dy), {.source = backward_source(x)}, {});
}

void freeze(LinearWeight& weight) {
  weight.weight = weight.weight.detach().contiguous();
  if (use_kernels(weight.weight)) weight.packed = std::make_shared<const PackedWeight>(weight.weight);
}

}  // namespace fedtune::nn
