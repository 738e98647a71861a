// Products of large matrices: the right one packed into panels, the sums in registers.
//
// A panel is as wide as three vectors and as deep as the sum is long; a tile of the product takes some rows of the left
// matrix and one panel, and each of its elements stays in a register from the first summand to the last of its chunk.
// The order of loops is that of Goto and van de Geijn 2008, "Anatomy of High-Performance Matrix Multiplication", with
// the left matrix read in place: its tile stays in the first cache while a few panels pass by from the second.
#pragma once

#include "fedtune/nn/kernels/panels.h"
#include "fedtune/nn/kernels/small_gemm.h"

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

constexpr int panel_vectors = 3;
constexpr int64_t panel_width = panel_vectors * lanes;
// Accumulators, one panel row and a broadcast fill the registers: 32 of them with AVX-512, else 16.
constexpr int tile_rows = lanes == 16 ? 8 : 4;
// A tile of the left matrix is 24 kB of the first cache; a block of panels half a megabyte of the second.
constexpr int64_t longest_chunk = 768;
constexpr int64_t panels_per_block = 64 / lanes;
// How far ahead panels are fetched, in floats.
constexpr int64_t fetch_ahead = 256;
// With AVX-512 a tile outruns the second and third caches, so what comes next is fetched meanwhile: while the panels of
// a block pass by, each brings some rows of the next left tile and its share of the next block. The others' narrower
// tiles have no loads to spare for that.
constexpr bool fetches_next = lanes == 16;
constexpr int64_t rows_per_panel = fetches_next ? tile_rows / panels_per_block : 1;

// Where what comes next lies: the left rows of the next tile, and the next block's panels.
struct Next {
  const float* left;
  const float* panels;
};

// Rows of the left matrix, `stride` floats apart.
struct LeftRows {
  const float* data;
  int64_t stride;
};

// What the accumulators begin with: null for 0. The bias has row stride 0.
struct Start {
  const float* data;
  int64_t row_stride;
};

// part[i] += sum over k of a[i, k] panel[k, :]. Three pointers reach all rows of a by the processor's own scaling of
// the stride: one each would not fit the registers.
template <int Rows>
FEDTUNE_INLINE void add_run(int64_t depth, LeftRows a, const float* panel, Next next,
                            Floats (&part)[Rows][panel_vectors]) {
  const int64_t stride = a.stride;
  const float* low = a.data;
  const float* middle = low + 3 * stride;
  const float* high = low + 6 * stride;
  const auto add = [&]() __attribute__((always_inline)) {
    Floats right[panel_vectors];
#pragma GCC unroll 3
    for (int v = 0; v < panel_vectors; ++v) {
      __builtin_prefetch(panel + v * lanes + fetch_ahead);
      right[v] = load(panel + v * lanes);
    }
    const float* const rows[8] = {
        low, low + stride, low + 2 * stride, middle, low + 4 * stride, middle + 2 * stride, high, middle + 4 * stride};
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) {
      const Floats left = broadcast(*rows[i]);
#pragma GCC unroll 3
      for (int v = 0; v < panel_vectors; ++v) part[i][v] += left * right[v];
    }
    panel += panel_width;
    ++low;
    ++middle;
    ++high;
    asm("" : "+r"(low), "+r"(middle), "+r"(high));  // else each row gets a pointer again
  };
  int64_t k = 0;
  // As many steps as bring a whole line of the next left tile: a fetch in each would cost more than it brings.
  constexpr int64_t steps = lanes / rows_per_panel;
  for (; fetches_next && k + steps <= depth; k += steps) {
    __builtin_prefetch(next.left, 0, 3);
    __builtin_prefetch(next.panels, 0, 2);
    next.left += lanes;
    next.panels += steps;
#pragma GCC unroll 8
    for (int64_t i = 0; i < steps; ++i) add();
  }
  for (; k < depth; ++k) add();
}

// c[i, :] = start[i, :] + sum over k of a[i, k] panel[k, :], for `Rows` rows.
template <int Rows>
FEDTUNE_INLINE void product_tile(int64_t depth, LeftRows a, const float* panel, Start start, Product c, Next next) {
  Floats part[Rows][panel_vectors] = {};
  if (start.data) {
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 3
      for (int v = 0; v < panel_vectors; ++v) part[i][v] = load(start.data + i * start.row_stride + v * lanes);
  }
  // One run for each row of the next tile that this panel fetches.
  for (int64_t run = 0; run < rows_per_panel; ++run) {
    const int64_t first = depth * run / rows_per_panel, count = depth * (run + 1) / rows_per_panel - first;
    add_run(count, {a.data + first, a.stride}, panel + first * panel_width,
            {next.left + run * a.stride, next.panels + first}, part);
  }
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 3
    for (int v = 0; v < panel_vectors; ++v) store(c.data + i * c.row_stride + v * lanes, part[i][v]);
}

// The last panel may be wider than the matrix: its tile is computed beside it and `columns` of it are kept.
template <int Rows>
static void narrow_tile(int64_t depth, LeftRows a, const float* panel, Start start, Product c, int64_t columns) {
  float begin[Rows * panel_width] = {}, sums[Rows * panel_width];
  for (int64_t i = 0; start.data && i < Rows; ++i)
    for (int64_t j = 0; j < columns; ++j) begin[i * panel_width + j] = start.data[i * start.row_stride + j];
  product_tile<Rows>(depth, a, panel, {begin, panel_width}, {sums, panel_width}, {a.data, panel});
  for (int64_t i = 0; i < Rows; ++i)
    for (int64_t j = 0; j < columns; ++j) c.data[i * c.row_stride + j] = sums[i * panel_width + j];
}

// Consecutive panels, `stride` floats apart; columns of the product from the first one on.
struct Panels {
  const float* data;
  int64_t stride, columns;
};

template <int Rows>
static void product_rows(int64_t depth, LeftRows a, Panels panels, Start start, Product c, const float* next_panels) {
  Next next{a.data + Rows * a.stride, next_panels};
  for (int64_t j = 0; j < panels.columns; j += panel_width, panels.data += panels.stride) {
    const Start here{start.data ? start.data + j : nullptr, start.row_stride};
    const Product to{c.data + j, c.row_stride};
    if (panels.columns - j >= panel_width)
      product_tile<Rows>(depth, a, panels.data, here, to, next);
    else
      narrow_tile<Rows>(depth, a, panels.data, here, to, panels.columns - j);
    next.left += rows_per_panel * a.stride;
    next.panels += depth;
  }
}

static void product_block(int64_t rows, int64_t depth, LeftRows a, Panels panels, Start start, Product c) {
  const float* next_panels = panels.data + panels_per_block * panels.stride;
  const auto tile = [&](auto count) {
    constexpr int taken = decltype(count)::value;
    product_rows<taken>(depth, a, panels, start, c, next_panels);
    next_panels += panels_per_block * depth;
    a.data += taken * a.stride;
    c.data += taken * c.row_stride;
    if (start.data) start.data += taken * start.row_stride;
    rows -= taken;
  };
  while (rows >= tile_rows) tile(Constant<tile_rows>{});
  if (tile_rows > 4 && rows >= 4) tile(Constant<4>{});
  if (rows >= 2) tile(Constant<2>{});
  if (rows >= 1) tile(Constant<1>{});
}

// What is not packed yet is packed block by block.
static int64_t scratch_size(bool packed) {
  return packed ? 0 : panels_per_block * longest_chunk * panel_width;
}

static int64_t packed_size(int64_t depth, int64_t columns) {
  return (columns + panel_width - 1) / panel_width * panel_width * depth;
}

static void pack(const Source& b, float* packed) {
  for (int64_t j = 0; j < b.columns; j += panel_width, packed += b.depth * panel_width)
    pack_panel<panel_width>(b, 0, b.depth, j, packed);
}

static void matrix_product(const MatrixProduct& args) {
  const Source& b = args.b;
  const int64_t chunks = (b.depth + longest_chunk - 1) / longest_chunk;
  constexpr int64_t block_columns = panels_per_block * panel_width;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    const int64_t first = b.depth * chunk / chunks, depth = b.depth * (chunk + 1) / chunks - first;
    const LeftRows a{args.a + first, args.a_row_stride};
    for (int64_t j = 0; j < b.columns; j += block_columns) {
      const int64_t left = b.columns - j, columns = left < block_columns ? left : block_columns;
      Panels panels{args.packed ? args.packed + j * b.depth + first * panel_width : args.scratch,
                    (args.packed ? b.depth : depth) * panel_width, columns};
      if (!args.packed)
        for (int64_t i = 0; i < columns; i += panel_width)
          pack_panel<panel_width>(b, first, depth, j + i, args.scratch + i * depth);
      const Product c{args.c + j, args.c_row_stride};
      const Start bias{args.bias ? args.bias + j : nullptr, 0};
      product_block(args.rows, depth, a, panels, chunk > 0 ? Start{c.data, c.row_stride} : bias, c);
    }
  }
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
