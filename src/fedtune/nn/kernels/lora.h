// The skinny products of a LoRA adapter, its input dropped on the way.
#pragma once

#include "fedtune/nn/kernels/philox.h"
#include "fedtune/nn/kernels/small_gemm.h"

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

FEDTUNE_INLINE int64_t padded(int64_t features) {
  return (features + padding - 1) / padding * padding;
}

// Rows first .. first + count - 1 of dropout(x), in `scratch` unless nothing is dropped.
FEDTUNE_INLINE Right dropped_rows(const Drop& drop, const Draw& draw, const float* x, int64_t features, int64_t first,
                                  int64_t count, float* scratch) {
  if (!drop.threshold) return {x + first * features, features};
  for (int64_t i = 0; i < count; ++i) {
    const float* const from = x + (first + i) * features;
    float* const to = scratch + i * padded(features);
    draw_row(draw, first + i, features, to);
    for_each_vector(features,
                    [&](int64_t j, int64_t width) { store(to + j, load(from + j, width) * load(to + j), width); });
  }
  return {scratch, padded(features)};
}

// Dot products of `Rows` rows of x with `Ranks` rows of w.
template <int Rows, int Ranks>
FEDTUNE_INLINE void dot_tile(int64_t features, Right x, const float* w, float scale, Product h) {
  Floats part[Rows][Ranks] = {};
  for_each_vector(features, [&](int64_t first, int64_t count) {
    Floats left[Rows];
    for (int i = 0; i < Rows; ++i) left[i] = load(x.data + i * x.row_stride + first, count);
    for (int r = 0; r < Ranks; ++r) {
      const Floats right = load(w + r * features + first, count);
      for (int i = 0; i < Rows; ++i) part[i][r] += left[i] * right;
    }
  });
  for (int i = 0; i < Rows; ++i)
    for (int r = 0; r < Ranks; ++r) h.data[i * h.row_stride + r] = sum(part[i][r]) * scale;
}

template <int Rows>
FEDTUNE_INLINE void dot_rows(int64_t features, int64_t rank, Right x, const float* w, float scale, Product h) {
  int64_t r = 0;
  for (; r + 4 <= rank; r += 4) dot_tile<Rows, 4>(features, x, w + r * features, scale, {h.data + r, h.row_stride});
  for (; r < rank; ++r) dot_tile<Rows, 1>(features, x, w + r * features, scale, {h.data + r, h.row_stride});
}

static void project(const Project& args) {
  constexpr int tile = lanes == 16 ? 4 : 2;
  const Draw draw = prepare(args.drop);
  for (int64_t first = args.first; first < args.rows; first += row_block) {
    const int64_t count = args.rows - first < row_block ? args.rows - first : int64_t{row_block};
    const Right x = dropped_rows(args.drop, draw, args.x, args.features, first, count, args.scratch);
    for (int64_t i = 0; i < count;) {
      const Right rows{x.data + i * x.row_stride, x.row_stride};
      const Product h{args.h + (first + i) * args.rank, args.rank};
      if (i + tile <= count) {
        dot_rows<tile>(args.features, args.rank, rows, args.w, args.scale, h);
        i += tile;
      } else {
        dot_rows<1>(args.features, args.rank, rows, args.w, args.scale, h);
        i += 1;
      }
    }
  }
}

static void expand(const Expand& args) {
  const int64_t features = args.features;
  if (!args.drop.threshold) {
    multiply<Into::add>({args.rows - args.first, features, args.rank}, {args.h + args.first * args.rank, args.rank, 1},
                        {args.w, features}, {args.y + args.first * features, features}, 1.0f);
    return;
  }
  float* const mask = args.scratch + row_block * padded(features);
  const Draw draw = prepare(args.drop);
  for (int64_t first = args.first; first < args.rows; first += row_block) {
    const int64_t count = args.rows - first < row_block ? args.rows - first : int64_t{row_block};
    multiply<Into::assign>({count, features, args.rank}, {args.h + first * args.rank, args.rank, 1}, {args.w, features},
                           {args.scratch, padded(features)}, 1.0f);
    for (int64_t i = 0; i < count; ++i) {
      const float* const product = args.scratch + i * padded(features);
      float* const y = args.y + (first + i) * features;
      draw_row(draw, first + i, features, mask);
      for_each_vector(features, [&](int64_t j, int64_t width) {
        store(y + j, load(y + j, width) + load(product + j, width) * load(mask + j), width);
      });
    }
  }
}

static void outer(const Outer& args) {
  const Draw draw = prepare(args.drop);
  for (int64_t first = 0; first < args.rows; first += row_block) {
    const int64_t count = args.rows - first < row_block ? args.rows - first : int64_t{row_block};
    const Right x = dropped_rows(args.drop, draw, args.x, args.features, first, count, args.scratch);
    multiply<Into::add>({args.rank, args.features, count}, {args.h + first * args.rank, 1, args.rank}, x,
                        {args.dw, args.features}, 1.0f);
  }
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
