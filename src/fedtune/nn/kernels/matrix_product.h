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
// How far ahead panels are fetched, in floats.
constexpr int64_t fetch_ahead = 256;
// With AVX-512 a tile outruns the second and third caches, so what comes next is fetched meanwhile: while the panels of
// a block pass by, each brings some rows of the next left tile and its share of the next block, from its panels or from
// the matrix that is yet to be packed. The others' narrower tiles have no loads to spare for that.
constexpr bool fetches_next = lanes == 16;
// A tile of the left matrix is 12 kB of the first cache; a block of panels 600 kB of the second, or half of that where
// the next one is to fit beside it.
constexpr int64_t longest_chunk = fetches_next ? 384 : 768;
constexpr int64_t panels_per_block = 64 / lanes;
constexpr int64_t block_columns = panels_per_block * panel_width;
constexpr int64_t rows_per_panel = fetches_next ? tile_rows / panels_per_block : 1;

// Where what comes next lies, a line at a time: a row of the next left tile, and of the next block of the right matrix
// lines that are `right_step` floats apart.
struct Next {
  const float* left;
  const float* right;
  int64_t right_step;
};

// The lines of the next block, in runs of as many as a row of the left matrix has.
class NextBlock {
 public:
  static NextBlock none(const float* anything) { return {{.data = anything}}; }
  static NextBlock panels(const float* data, int64_t stride, int64_t depth) {
    return {{.data = data,
             .step = lanes,
             .runs = panel_width,
             .run_stride = depth,
             .groups = panels_per_block,
             .group_stride = stride}};
  }
  // All columns of the source, which are those of a block.
  static NextBlock source(const Source& b) {
    if (b.depth_stride == 1)
      return {{.data = b.data, .step = lanes, .runs = b.columns, .run_stride = b.column_stride, .groups = 1}};
    // A run takes a line of one row after the other, a group of runs all rows.
    const int64_t lines = b.depth < lanes ? 1 : b.depth / lanes;
    return {{.data = b.data,
             .step = b.depth_stride,
             .runs = (b.depth + lines - 1) / lines,
             .run_stride = lines * b.depth_stride,
             .groups = (b.columns + lanes - 1) / lanes,
             .group_stride = lanes}};
  }

  Next beside(const float* left) const { return {left, at_, groups_left_ > 0 ? lines_.step : 0}; }
  void advance() {
    if (groups_left_ == 0) return;
    at_ += lines_.run_stride;
    if (--runs_left_ > 0) return;
    --groups_left_;
    runs_left_ = lines_.runs;
    lines_.data += lines_.group_stride;
    at_ = lines_.data;
  }

 private:
  struct Lines {
    const float* data;  // the first of the group's
    int64_t step = 0;
    int64_t runs = 0, run_stride = 0;      // of a group
    int64_t groups = 0, group_stride = 0;  // of all
  };
  NextBlock(const Lines& lines) : lines_(lines), at_(lines.data), runs_left_(lines.runs), groups_left_(lines.groups) {}

  Lines lines_;
  const float* at_;
  int64_t runs_left_, groups_left_;
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
    __builtin_prefetch(next.right, 0, 2);
    next.left += lanes;
    next.right += next.right_step;
#pragma GCC unroll 8
    for (int64_t i = 0; i < steps; ++i) add();
  }
  for (; k < depth; ++k) add();
}

// c[i, :] = start[i, :] + sum over k of a[i, k] panel[k, :], for `Rows` rows.
template <int Rows>
FEDTUNE_INLINE void product_tile(int64_t depth, LeftRows a, const float* panel, Start start, Product c,
                                 const float* next_left, NextBlock& next_block) {
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
            next_block.beside(next_left + run * a.stride), part);
    next_block.advance();
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
  NextBlock none = NextBlock::none(panel);
  product_tile<Rows>(depth, a, panel, {begin, panel_width}, {sums, panel_width}, a.data, none);
  for (int64_t i = 0; i < Rows; ++i)
    for (int64_t j = 0; j < columns; ++j) c.data[i * c.row_stride + j] = sums[i * panel_width + j];
}

// Consecutive panels, `stride` floats apart; columns of the product from the first one on.
struct Panels {
  const float* data;
  int64_t stride, columns;
};

template <int Rows>
static void product_rows(int64_t depth, LeftRows a, Panels panels, Start start, Product c, NextBlock& next_block) {
  const float* next_left = a.data + Rows * a.stride;
  for (int64_t j = 0; j < panels.columns; j += panel_width, panels.data += panels.stride) {
    const Start here{start.data ? start.data + j : nullptr, start.row_stride};
    const Product to{c.data + j, c.row_stride};
    if (panels.columns - j >= panel_width)
      product_tile<Rows>(depth, a, panels.data, here, to, next_left, next_block);
    else
      narrow_tile<Rows>(depth, a, panels.data, here, to, panels.columns - j);
    next_left += rows_per_panel * a.stride;
  }
}

static void product_block(int64_t rows, int64_t depth, LeftRows a, Panels panels, Start start, Product c,
                          NextBlock next_block) {
  const auto tile = [&](auto count) {
    constexpr int taken = decltype(count)::value;
    product_rows<taken>(depth, a, panels, start, c, next_block);
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

// Of the columns of block `j` and the rows of a chunk.
static Source block_of(const Source& b, int64_t first, int64_t depth, int64_t j) {
  const int64_t left = b.columns - j;
  return {.depth = depth,
          .columns = left < block_columns ? left : block_columns,
          .data = b.data + first * b.depth_stride + j * b.column_stride,
          .depth_stride = b.depth_stride,
          .column_stride = b.column_stride};
}

// The same, of panels.
static const float* packed_block_of(const MatrixProduct& args, int64_t first, int64_t j) {
  return args.packed + j * args.b.depth + first * panel_width;
}

static NextBlock next_block_of(const MatrixProduct& args, int64_t first, int64_t depth, int64_t j) {
  const Source& b = args.b;
  j += block_columns;
  if (j >= b.columns) {
    j = 0;
    first += depth;
  }
  if (first >= b.depth) return NextBlock::none(b.data);
  if (!args.packed) return NextBlock::source(block_of(b, first, depth, j));
  return NextBlock::panels(packed_block_of(args, first, j), b.depth * panel_width, depth);
}

static void matrix_product(const MatrixProduct& args) {
  const Source& b = args.b;
  const int64_t chunks = (b.depth + longest_chunk - 1) / longest_chunk;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    const int64_t first = b.depth * chunk / chunks, depth = b.depth * (chunk + 1) / chunks - first;
    const LeftRows a{args.a + first, args.a_row_stride};
    for (int64_t j = 0; j < b.columns; j += block_columns) {
      const Source block = block_of(b, first, depth, j);
      Panels panels{args.packed ? packed_block_of(args, first, j) : args.scratch,
                    (args.packed ? b.depth : depth) * panel_width, block.columns};
      if (!args.packed) pack(block, args.scratch);
      const Product c{args.c + j, args.c_row_stride};
      const Start bias{args.bias ? args.bias + j : nullptr, 0};
      product_block(args.rows, depth, a, panels, chunk > 0 ? Start{c.data, c.row_stride} : bias, c,
                    next_block_of(args, first, depth, j));
    }
  }
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
