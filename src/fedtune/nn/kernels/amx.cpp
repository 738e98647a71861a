// fp32 products on the matrix unit, which multiplies bf16: a number is the sum of three of them, and a product that of
// the six products of their parts that fp32 can tell from 0 beside the largest (docs/adr/0013).
//
// Compiled for AVX-512 F, BW, DQ and VL with FMA and for AMX-BF16: run only where select.cpp found them and
// matrix_unit.h was granted. The right matrix lies in panels of 32 columns, in fp32. A chunk of the left one is split
// and stays in the second cache while the panels pass by; while one is multiplied, the vector unit splits the next.
#if defined(__x86_64__)
#define FEDTUNE_KERNELS amx
#define FEDTUNE_VECTOR_BYTES 64
#include "fedtune/nn/kernels/bf16_parts.h"
#include "fedtune/nn/kernels/panels.h"
#include "fedtune/nn/kernels/sets.h"
#include "fedtune/nn/kernels/tiles.h"

namespace fedtune::nn::kernels {
namespace amx {
namespace {

constexpr int64_t panel_width = side;

// A chunk of the left matrix, split, is 0.9 MB; a panel of the right one 74 kB.
constexpr int64_t longest_chunk = 384, most_rows = 384;
constexpr int64_t left_size = most_rows * longest_chunk * parts;
constexpr int64_t panel_size = panel_width * longest_chunk * parts;

// What is done meanwhile, a little with each step of a product.
struct Meanwhile {
  Panel& panel;  // split
  bool hurry;    // few rows pass by: in every step, else in every other one
};

// c[i, j] = start[i, j] + sum over k of a[i, k] b[k, j] for 32 columns and 32 rows, or the upper sixteen of them.
struct Tile {
  int64_t depth_blocks;
  const uint16_t* a;
  const uint16_t* b;
  const float* start;
  int64_t start_stride;  // 0 for a bias
  float* c;
  int64_t c_stride;
  const float* next_c;  // of the next tile, fetched meanwhile
};

template <bool tall>
static void multiply_tile(const Tile& tile, Meanwhile meanwhile) {
  order_memory();
  load_product<tall>(tile.start, tile.start_stride);
  int64_t c_line = 0;
  const auto go_on = [&](bool odd) __attribute__((always_inline)) {
    if (!odd || meanwhile.hurry) split_next(meanwhile.panel);
    if (c_line < 2 * side) __builtin_prefetch(tile.next_c + c_line / 2 * tile.c_stride + c_line % 2 * tile_side);
    ++c_line;
  };
  // The small products come first; from one step to the next only one operand changes.
  const uint16_t *a = tile.a, *b = tile.b;
  load_left<tall>(a);
  load_right(b + 2 * plane_size);
  for (int64_t k = 0; k < tile.depth_blocks; ++k) {
    add_products_then_right<tall>(b + plane_size);
    go_on(false);
    add_products_then_left<tall>(a + plane_size);
    go_on(true);
    add_products_then_right<tall>(b);
    go_on(false);
    add_products_then_left<tall>(a + 2 * plane_size);
    go_on(true);
    add_products_then_left<tall>(a);
    go_on(false);
    const int64_t next = k + 1 < tile.depth_blocks ? block_size : 0;
    a += next;
    b += next;
    add_products_then_both<tall>(a, b + 2 * plane_size);
    go_on(true);
  }
  store_product<tall>(tile.c, tile.c_stride);
  order_memory();
}

// At an edge the product has fewer rows or columns than the tile, which is computed beside it.
static void multiply_beside(const Tile& tile, int64_t rows, int64_t columns, Meanwhile meanwhile) {
  float beside[side * side] = {};
  const auto copy = [&](const float* from, int64_t from_stride, float* to, int64_t to_stride) {
    for (int64_t i = 0; i < rows; ++i)
      for_each_vector(columns, [&](int64_t first, int64_t count) {
        store(to + i * to_stride + first, load(from + i * from_stride + first, count), count);
      });
  };
  copy(tile.start, tile.start_stride, beside, side);
  Tile copied = tile;
  copied.start = copied.next_c = copied.c = beside;
  copied.start_stride = copied.c_stride = side;
  rows > tile_side ? multiply_tile<true>(copied, meanwhile) : multiply_tile<false>(copied, meanwhile);
  copy(beside, side, tile.c, tile.c_stride);
}

struct Scratch {
  uint16_t* left;
  uint16_t* panels[2];
  float* copied;  // a panel that is not packed and cannot be read in place
};
constexpr int64_t floats_of_left = left_size / 2, floats_of_panel = panel_size / 2;
static Scratch scratch_in(float* memory) {
  const auto words = [&](int64_t first) { return reinterpret_cast<uint16_t*>(memory + first); };
  return {words(0),
          {words(floats_of_left), words(floats_of_left + floats_of_panel)},
          memory + floats_of_left + 2 * floats_of_panel};
}
static int64_t scratch_size(bool packed) {
  return floats_of_left + 2 * floats_of_panel + (packed ? 0 : longest_chunk * panel_width);
}

static int64_t packed_size(int64_t depth, int64_t columns) {
  return blocks(columns) * panel_width * blocks(depth) * side;
}

static void pack(const Source& b, float* packed) {
  const int64_t all = packed_size(b.depth, panel_width), used = b.depth * panel_width;
  for (int64_t j = 0; j < b.columns; j += panel_width, packed += all) {
    pack_panel<panel_width>(b, 0, b.depth, j, packed);
    for (int64_t i = used; i < all; ++i) packed[i] = 0.0f;
  }
}

// Rows of the product, and a chunk of the depth of its sums.
struct Part {
  int64_t row, rows, first, depth;
};

static Panel panel_at(const MatrixProduct& args, const Part& part, int64_t column, float* copied, uint16_t* to) {
  const Source& b = args.b;
  Panel panel{.data = copied,
              .stride = panel_width,
              .depth = part.depth,
              .to = to,
              .next = 0,
              .count = blocks(part.depth) * side};
  if (args.packed) {
    panel.data = args.packed + packed_size(b.depth, column) + part.first * panel_width;
  } else if (b.column_stride == 1 && b.columns - column >= panel_width) {
    panel.data = b.data + part.first * b.depth_stride + column;
    panel.stride = b.depth_stride;
  } else {
    pack_panel<panel_width>(b, part.first, part.depth, column, copied);
  }
  return panel;
}

// Multiplies one panel with all rows of the part.
static void multiply_panel(const MatrixProduct& args, const Part& part, int64_t column, const uint16_t* left,
                           const uint16_t* panel, Meanwhile meanwhile) {
  static constexpr float zeros[side] = {};
  const int64_t stride = args.c_row_stride, depth_blocks = blocks(part.depth);
  const int64_t columns = args.b.columns - column;
  float* const top = args.c + part.row * stride + column;
  const float* const bias = args.bias ? args.bias + column : zeros;
  const bool goes_on = part.first > 0;
  Tile tile{.depth_blocks = depth_blocks,
            .a = left,
            .b = panel,
            .start = goes_on ? top : bias,
            .start_stride = goes_on ? stride : 0,
            .c = top,
            .c_stride = stride,
            .next_c = nullptr};
  for (int64_t i = 0; i < part.rows; i += side) {
    const int64_t rows = part.rows - i < side ? part.rows - i : side;
    tile.next_c = i + side < part.rows ? tile.c + side * stride : top + panel_width;
    if (rows == side && columns >= side)
      multiply_tile<true>(tile, meanwhile);
    else
      multiply_beside(tile, rows, columns < side ? columns : side, meanwhile);
    tile.a += depth_blocks * block_size;
    tile.start += side * tile.start_stride;
    tile.c += side * stride;
  }
}

static void multiply_part(const MatrixProduct& args, const Part& part, const Scratch& scratch) {
  split_left({.data = args.a + part.row * args.a_row_stride + part.first,
              .stride = args.a_row_stride,
              .rows = part.rows,
              .depth = part.depth},
             scratch.left);
  const bool hurry = part.rows <= most_rows / 2;
  Panel next = panel_at(args, part, 0, scratch.copied, scratch.panels[0]);
  for (int64_t j = 0; j < args.b.columns; j += panel_width) {
    while (next.next < next.count) split_next(next);
    const uint16_t* const panel = next.to;
    uint16_t* const other = scratch.panels[panel == scratch.panels[0] ? 1 : 0];
    if (j + panel_width < args.b.columns) next = panel_at(args, part, j + panel_width, scratch.copied, other);
    multiply_panel(args, part, j, scratch.left, panel, {.panel = next, .hurry = hurry});
  }
}

// The length of equal parts, whole blocks all but the last, none longer than `longest`.
static int64_t part_length(int64_t all, int64_t longest) {
  const int64_t count = (all + longest - 1) / longest;
  return blocks((all + count - 1) / count) * side;
}

static void multiply(const MatrixProduct& args) {
  const Scratch scratch = scratch_in(args.scratch);
  const int64_t all = args.b.depth, rows = part_length(args.rows, most_rows), depth = part_length(all, longest_chunk);
  _tile_loadconfig(&whole_tiles);
  for (int64_t i = 0; i < args.rows; i += rows)
    for (int64_t k = 0; k < all; k += depth)
      multiply_part(args,
                    {.row = i,
                     .rows = args.rows - i < rows ? args.rows - i : rows,
                     .first = k,
                     .depth = all - k < depth ? all - k : depth},
                    scratch);
  _tile_release();
}

}  // namespace
}  // namespace amx

constinit const Products amx::products{.multiply = amx::multiply,
                                       .panel_width = amx::panel_width,
                                       .packed_size = amx::packed_size,
                                       .pack = amx::pack,
                                       .scratch_size = amx::scratch_size};

}  // namespace fedtune::nn::kernels
#endif
