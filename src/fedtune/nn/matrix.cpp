#include "fedtune/nn/matrix.h"

#include <algorithm>
#include <functional>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/profile.h"
#include "fedtune/nn/fused.h"
#include "fedtune/nn/huge_pages.h"
#include "fedtune/nn/kernels/select.h"
#include "fedtune/nn/parallel.h"
#include "fedtune/nn/precision.h"

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

// Calls body(first, last) for the columns of parts of a right matrix that end where its panels do.
void parallel_panels(const Kernels& kernels, std::int64_t columns,
                     const std::function<void(std::int64_t first, std::int64_t last)>& body) {
  constexpr std::int64_t fewest_panels = 2;  // of a thread
  const std::int64_t width = kernels.products.panel_width;
  parallel_rows((columns + width - 1) / width, fewest_panels,
                [&](std::int64_t first, std::int64_t last) { body(first * width, std::min(last * width, columns)); });
}

// [rows, columns] -> [columns, rows]. A product that reads its left matrix down the columns finds the lines of a tile
// in a few sets of the first cache, which cannot hold them.
at::Tensor transposed(const Kernels& kernels, const at::Tensor& x) {
  at::Tensor result = at::empty({x.size(1), x.size(0)}, at::kFloat);
  const std::int64_t rows = x.size(0), columns = x.size(1);
  parallel_columns(columns, [&](std::int64_t first, std::int64_t last) {
    kernels.transpose(rows, last - first, read(x) + first, columns, write(result) + first * rows);
  });
  return result;
}

// Columns [first, last).
Source columns_of(Source b, std::int64_t first, std::int64_t last) {
  b.columns = last - first;
  b.data += first * b.column_stride;
  return b;
}

at::Tensor pack(const Kernels& kernels, const Source& b) {
  at::Tensor panels = huge_empty({kernels.products.packed_size(b.depth, b.columns)}, at::kFloat);
  parallel_panels(kernels, b.columns, [&](std::int64_t first, std::int64_t last) {
    kernels.products.pack(columns_of(b, first, last), write(panels) + kernels.products.packed_size(b.depth, first));
  });
  return panels;
}

// Of this thread, which keeps it: one block that comes and goes with every product would lie among what stays, and
// leave holes.
template <typename Element>
Element* scratch_of_thread(std::int64_t count) {
  thread_local at::Tensor kept;
  const std::int64_t bytes = count * static_cast<std::int64_t>(sizeof(Element));
  if (!kept.defined() || kept.numel() < bytes) kept = at::empty({bytes}, at::kByte);
  return reinterpret_cast<Element*>(kept.mutable_data_ptr());
}

struct Right {
  Source source;
  at::Tensor panels{};  // undefined: packed on the way
};

void count_product(ProfileScope& scope, std::int64_t rows, const Source& b) {
  scope.count(2.0 * static_cast<double>(rows) * static_cast<double>(b.depth * b.columns));
}

// Threads take rows or columns, never parts of a sum: those of the larger operand, which each then reads once.
void multiply_packed(const Kernels& kernels, const at::Tensor& a, const Right& b, const at::Tensor& bias,
                     const at::Tensor& product) {
  const auto part = [&](std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t end) {
    kernels.products.multiply({.rows = rows,
                               .a = read(a) + row * a.size(1),
                               .a_row_stride = a.size(1),
                               .b = columns_of(b.source, column, end),
                               .packed = read(b.panels) + kernels.products.packed_size(b.source.depth, column),
                               .bias = bias.defined() ? read(bias) + column : nullptr,
                               .c = write(product) + row * b.source.columns + column,
                               .c_row_stride = b.source.columns,
                               .scratch = scratch_of_thread<float>(kernels.products.scratch_size(/*packed=*/true))});
  };
  const std::int64_t rows = a.size(0), columns = b.source.columns;
  if (rows > columns) {
    parallel_rows(rows, fewest_rows,
                  [&](std::int64_t first, std::int64_t last) { part(first, last - first, 0, columns); });
  } else {
    parallel_panels(kernels, columns, [&](std::int64_t first, std::int64_t last) { part(0, rows, first, last); });
  }
}

// Threads take columns, each those that it has packed.
void multiply_packing(const Kernels& kernels, const at::Tensor& a, const Source& b, const at::Tensor& bias,
                      const at::Tensor& product) {
  parallel_panels(kernels, b.columns, [&](std::int64_t first, std::int64_t last) {
    kernels.products.multiply({.rows = a.size(0),
                               .a = read(a),
                               .a_row_stride = a.size(1),
                               .b = columns_of(b, first, last),
                               .packed = nullptr,
                               .bias = bias.defined() ? read(bias) + first : nullptr,
                               .c = write(product) + first,
                               .c_row_stride = b.columns,
                               .scratch = scratch_of_thread<float>(kernels.products.scratch_size(/*packed=*/false))});
  });
}

at::Tensor multiply(const Kernels& kernels, const at::Tensor& a, const Right& b, const at::Tensor& bias) {
  ProfileScope scope(Work::products);
  count_product(scope, a.size(0), b.source);
  at::Tensor product = at::empty({a.size(0), b.source.columns}, at::kFloat);
  if (b.panels.defined()) {
    multiply_packed(kernels, a, b, bias, product);
  } else {
    multiply_packing(kernels, a, b.source, bias, product);
  }
  return product;
}

std::uint16_t* elements(const at::Tensor& x) {
  return reinterpret_cast<std::uint16_t*>(x.mutable_data_ptr<c10::BFloat16>());
}

at::Tensor pack(const kernels::Bf16Kernels& kernels, const Source& b) {
  at::Tensor panels = huge_empty({kernels.packed_size(b.depth, b.columns)}, at::kBFloat16);
  kernels.pack(b, elements(panels));
  return panels;
}

at::Tensor multiply(const kernels::Bf16Kernels& kernels, const at::Tensor& x, const Right& b, const at::Tensor& bias) {
  ProfileScope scope(Work::products);
  const std::int64_t depth = b.source.depth, columns = b.source.columns;
  count_product(scope, x.size(0), b.source);
  at::Tensor product = at::empty({x.size(0), columns}, at::kFloat);
  parallel_rows(x.size(0), fewest_rows, [&](std::int64_t first, std::int64_t last) {
    kernels.product({.rows = last - first,
                     .depth = depth,
                     .columns = columns,
                     .a = read(x) + first * depth,
                     .packed = elements(b.panels),
                     .bias = read(bias),
                     .c = write(product) + first * columns,
                     .scratch = scratch_of_thread<std::uint16_t>(kernels.scratch_size(last - first, depth))});
  });
  return product;
}

}  // namespace

PackedWeight::PackedWeight(const at::Tensor& weight, const kernels::Bf16Kernels* bf16)
    : kernels_(kernels::active()), bf16_(bf16), weight_(weight.detach()), panels_(pack(forward_source(weight_))) {}

at::Tensor PackedWeight::pack(const Source& source) const {
  at::Tensor packed = bf16_ ? nn::pack(*bf16_, source) : nn::pack(kernels_, source);
  release_pages({static_cast<const std::byte*>(weight_.const_data_ptr()), weight_.nbytes()});
  return packed;
}

at::Tensor PackedWeight::multiply(const at::Tensor& x, const Source& source, const at::Tensor& panels,
                                  const at::Tensor& bias) const {
  const Right right{.source = source, .panels = panels};
  return bf16_ ? nn::multiply(*bf16_, x, right, bias) : nn::multiply(kernels_, x, right, bias);
}

at::Tensor PackedWeight::forward(const at::Tensor& x, const at::Tensor& bias) const {
  return multiply(x, forward_source(weight_), panels_, bias);
}

at::Tensor PackedWeight::backward(const at::Tensor& dy) const {
  const Source source = backward_source(weight_);
  std::call_once(transposed_once_, [&] { transposed_ = pack(source); });
  return multiply(dy, source, transposed_, {});
}

at::Tensor product_forward(const at::Tensor& x, const LinearWeight& weight, const at::Tensor& bias) {
  if (weight.packed) return weight.packed->forward(x, bias);
  const at::Tensor w = weight.weight.contiguous();
  return multiply(kernels::active(), x, {.source = forward_source(w)}, bias);
}

at::Tensor product_backward(const at::Tensor& dy, const LinearWeight& weight) {
  if (weight.packed) return weight.packed->backward(dy);
  const at::Tensor w = weight.weight.contiguous();
  return multiply(kernels::active(), dy, {.source = backward_source(w)}, {});
}

at::Tensor product_weight(const at::Tensor& dy, const at::Tensor& x) {
  const ProfileScope scope(Work::products);
  return multiply(kernels::active(), transposed(kernels::active(), dy), {.source = backward_source(x)}, {});
}

void freeze(LinearWeight& weight) {
  freeze(weight, Precision::fp32);
}

void freeze(LinearWeight& weight, Precision precision) {
  weight.weight = weight.weight.detach().contiguous();
  if (!use_kernels(weight.weight)) return;
  const kernels::Bf16Kernels* bf16 = nullptr;
  if (precision == Precision::bf16) {
    bf16 = kernels::bf16_support().kernels;
    if (bf16 == nullptr) throw usage_error("bf16: {}; use fp32", kernels::bf16_support().reason);
  }
  weight.packed = std::make_shared<const PackedWeight>(weight.weight, bf16);
}

}  // namespace fedtune::nn
