// fp32 products on the matrix unit, which multiplies bytes and adds up the products exactly: a number is three digits
// of eight bits (digits.h), and a product the eight of the nine products of their digits that fp32 can tell from 0
// beside the largest (docs/adr/0014).
//
// Compiled for AVX-512 F, BW, DQ and VL with FMA and for AMX-INT8: run only where select.cpp found them and
// matrix_unit.h was granted. The right matrix lies in panels of 32 columns, in digits. Some chunks of the left one are
// turned into digits and stay in the second cache while the panels pass by, a panel's chunk in the first. Short sums
// are left to the vector unit.
#if defined(__x86_64__)
#define FEDTUNE_KERNELS amx
#define FEDTUNE_VECTOR_BYTES 64
#include "fedtune/nn/kernels/digits.h"
#include "fedtune/nn/kernels/panels.h"
#include "fedtune/nn/kernels/sets.h"
#include "fedtune/nn/kernels/tiles.h"

namespace fedtune::nn::kernels {
namespace amx {
namespace {

constexpr int64_t panel_width = side;

// The chunk of a panel is 18 kB; that of sixteen rows, which pass by, 9 kB. With the next rows and with what waits to
// be added to the product they fill the first cache.
constexpr int64_t longest_chunk = 192;
// Of the left matrix as many chunks and rows are held at a time as take 0.9 MB of the second cache.
constexpr int64_t chunks_of_part = 4, most_rows = 1536;

// Sums of products of digits, of two weights: [weight][2 tiles][16 rows][16 columns].
constexpr int64_t sums_of_tile = tile_side * tile_side;
constexpr int64_t sums_size = 4 * sums_of_tile;

// The greatest of the four weights, 2^32, lies in part in the rows' scales, in part in the columns'.
constexpr float row_unit = 0x1p24f, column_unit = 0x1p8f;

// Sums on their way into some rows, sixteen at most, of 32 columns or fewer of the product: one row after the other.
struct Finish {
  int64_t rows;  // that are left
  const int32_t* upper;
  const int32_t* lower;
  const float* row_scales;
  const float* start;    // what they are added to
  int64_t start_stride;  // 0 for a bias
  float* to;
  int64_t to_stride;
  Floats column_scales[2];
  __mmask16 columns[2];
};
FEDTUNE_INLINE void finish_next(Finish& finish) {
  if (finish.rows == 0) return;
  --finish.rows;
  const Floats row_scale = broadcast(*finish.row_scales++);
#pragma GCC unroll 2
  for (int64_t tile = 0; tile < 2; ++tile) {
    const auto sums = [&](const int32_t* of_weight) __attribute__((always_inline)) {
      typedef int32_t Sums __attribute__((vector_size(64), aligned(4), may_alias));
      return __builtin_convertvector(*reinterpret_cast<const Sums*>(of_weight + tile * sums_of_tile), Floats);
    };
    // The small ones first.
    constexpr float digit = 0x1p-8f;
    const Floats small = sums(finish.lower + 2 * sums_of_tile) * digit + sums(finish.lower);
    const Floats sum = (small * digit + sums(finish.upper + 2 * sums_of_tile)) * digit + sums(finish.upper);
    const __mmask16 columns = finish.columns[tile];
    const Floats start = (Floats)_mm512_maskz_loadu_ps(columns, finish.start + tile * tile_side);
    _mm512_mask_storeu_ps(finish.to + tile * tile_side, columns,
                          (__m512)(sum * finish.column_scales[tile] * row_scale + start));
  }
  finish.upper += tile_side;
  finish.lower += tile_side;
  finish.start += finish.start_stride;
  finish.to += finish.to_stride;
}
FEDTUNE_INLINE void finish_all(Finish& finish) {
  while (finish.rows > 0) finish_next(finish);
}

// What the vector unit does while the matrix unit multiplies, beside finishing the last sums.
struct Meanwhile {
  LeftRows left;       // this chunk's, of the first panel
  RightColumns right;  // the next panel's or chunk's, where they are not packed
};
template <bool busy>
FEDTUNE_INLINE void go_on(Finish& finish, Meanwhile& work) {
  finish_next(finish);
  if constexpr (busy) {
    if (work.left.next < work.left.count) next_left(work.left);
    if (work.right.next < work.right.count) next_right(work.right);
  }
}

// Tiles 0 and 1 are sixteen rows and 32 columns of sums of one weight, 2 and 3 those of the next, 4 and 5 digits of
// the left matrix, 6 and 7 of the right one; the intrinsics want the numbers as constants. An operand is loaded as soon
// as the last multiplication that reads it is on its way. Two that add to one tile are three apart or more: the unit
// takes as long to add up. Between them `finish` goes on.
FEDTUNE_INLINE void clear_sums() {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}
FEDTUNE_INLINE void store_sums(int32_t* to) {
  _tile_stored(0, to, row_bytes);
  _tile_stored(1, to + sums_of_tile, row_bytes);
  _tile_stored(2, to + 2 * sums_of_tile, row_bytes);
  _tile_stored(3, to + 3 * sums_of_tile, row_bytes);
}

constexpr int64_t left_middle = tile_bytes, left_low = 2 * tile_bytes;
constexpr int64_t right_middle = 2 * tile_bytes, right_low = 4 * tile_bytes, second = tile_bytes;

// high high, of weight 2^32, and high middle + middle high, of weight 2^24.
template <bool busy>
FEDTUNE_INLINE void multiply_upper(int64_t blocks, const int8_t* a, const int8_t* b, Finish& finish, Meanwhile& work,
                                   int32_t* sums) {
  order_memory();
  clear_sums();
  _tile_loadd(4, a, row_bytes);
  _tile_loadd(5, a + left_middle, row_bytes);
  _tile_loadd(6, b, row_bytes);
  _tile_loadd(7, b + second, row_bytes);
  for (int64_t k = 0; k < blocks; ++k) {
    const bool last = k + 1 == blocks;
    const int8_t *const next_a = last ? a : a + left_block, *const next_b = last ? b : b + right_block;
    // Sums that have just been stored are left alone until the unit is at work again.
    const auto go_on_once_begun = [&]() __attribute__((always_inline)) {
      if (k > 0) go_on<busy>(finish, work);
    };
    _tile_dpbssd(2, 5, 6);
    go_on_once_begun();
    _tile_dpbssd(3, 5, 7);
    _tile_loadd(5, b + right_middle + second, row_bytes);
    go_on_once_begun();
    _tile_dpbssd(0, 4, 6);
    _tile_loadd(6, b + right_middle, row_bytes);
    _tile_dpbssd(2, 4, 6);
    _tile_loadd(6, next_b, row_bytes);
    go_on_once_begun();
    _tile_dpbssd(3, 4, 5);
    _tile_loadd(5, next_a + left_middle, row_bytes);
    go_on_once_begun();
    _tile_dpbssd(1, 4, 7);
    _tile_loadd(4, next_a, row_bytes);
    _tile_loadd(7, next_b + second, row_bytes);
    a = next_a;
    b = next_b;
  }
  store_sums(sums);
  order_memory();
}

// high low + middle middle + low high, of weight 2^16, and middle low + low middle, of weight 2^8.
template <bool busy>
FEDTUNE_INLINE void multiply_lower(int64_t blocks, const int8_t* a, const int8_t* b, const int8_t* left_below,
                                   Finish& finish, Meanwhile& work, int32_t* sums) {
  order_memory();
  clear_sums();
  _tile_loadd(4, a + left_low, row_bytes);
  _tile_loadd(5, a + left_middle, row_bytes);
  _tile_loadd(6, b, row_bytes);
  _tile_loadd(7, b + second, row_bytes);
  for (int64_t k = 0; k < blocks; ++k) {
    const bool last = k + 1 == blocks;
    const auto fetch_left = [&](int64_t quarter) __attribute__((always_inline)) {
      constexpr int64_t lines = tile_side / 4;
#pragma GCC unroll 4
      for (int64_t i = 0; i < lines; ++i)
        __builtin_prefetch(left_below + k * left_block + left_middle + (quarter * lines + i) * row_bytes);
    };
    const int8_t *const next_a = last ? a : a + left_block, *const next_b = last ? b : b + right_block;
    _tile_dpbssd(0, 4, 6);
    _tile_loadd(6, b + right_middle, row_bytes);
    go_on<busy>(finish, work);
    _tile_dpbssd(1, 4, 7);
    _tile_loadd(7, b + right_middle + second, row_bytes);
    _tile_dpbssd(2, 4, 6);
    go_on<busy>(finish, work);
    _tile_dpbssd(0, 5, 6);
    _tile_loadd(6, b + right_low, row_bytes);
    _tile_dpbssd(1, 5, 7);
    fetch_left(0);
    go_on<busy>(finish, work);
    _tile_dpbssd(3, 4, 7);
    fetch_left(1);
    _tile_loadd(4, a, row_bytes);
    _tile_loadd(7, b + right_low + second, row_bytes);
    _tile_dpbssd(0, 4, 6);
    fetch_left(2);
    go_on<busy>(finish, work);
    _tile_dpbssd(1, 4, 7);
    fetch_left(3);
    _tile_loadd(4, next_a + left_low, row_bytes);
    _tile_dpbssd(2, 5, 6);
    _tile_loadd(6, next_b, row_bytes);
    _tile_dpbssd(3, 5, 7);
    _tile_loadd(7, next_b + second, row_bytes);
    _tile_loadd(5, next_a + left_middle, row_bytes);
    a = next_a;
    b = next_b;
  }
  finish_all(finish);
  store_sums(sums);
  order_memory();
}

// How a sum is cut: chunks of one length, whole blocks, the last of which may be shorter.
struct Chunks {
  int64_t depth, length, count;
  int64_t begin(int64_t chunk) const { return chunk * length; }
  int64_t depth_of(int64_t chunk) const {
    const int64_t left = depth - begin(chunk);
    return left < length ? left : length;
  }
};
static Chunks chunks_of(int64_t depth) {
  const int64_t fewest = (depth + longest_chunk - 1) / longest_chunk;
  const int64_t length = depth_blocks((depth + fewest - 1) / fewest) * block_depth;
  return {.depth = depth, .length = length, .count = (depth + length - 1) / length};
}

// Of a panel: its digits, then the scales of its columns.
static constexpr int64_t panel_bytes(int64_t chunk) {
  return chunk * panel_width * digits;
}
static constexpr int64_t floats_of_panel(int64_t chunk) {
  return panel_bytes(chunk) / 4 + panel_width;
}

constexpr int64_t floats_of_left = longest_chunk * most_rows * digits / 4;
constexpr int64_t floats_of_copy = longest_chunk * panel_width;
struct Scratch {
  int8_t* left;
  float* row_scales;
  float* gathered;  // [rows][32]: of a panel, between chunks
  int32_t* sums;    // upper, lower, and the next upper ones
  float* panels[2];
  float* copied;  // a panel that is not packed and cannot be read in place
};
static Scratch scratch_in(float* memory) {
  constexpr int64_t scales = most_rows;
  float* const sums = memory + floats_of_left + scales + most_rows * panel_width;
  float* const panels = sums + 3 * sums_size;
  return {.left = reinterpret_cast<int8_t*>(memory),
          .row_scales = memory + floats_of_left,
          .gathered = memory + floats_of_left + scales,
          .sums = reinterpret_cast<int32_t*>(sums),
          .panels = {panels, panels + floats_of_panel(longest_chunk)},
          .copied = panels + 2 * floats_of_panel(longest_chunk)};
}
static int64_t digits_scratch(bool packed) {
  constexpr int64_t always = floats_of_left + (1 + panel_width) * most_rows + 3 * sums_size;
  return packed ? always : always + 2 * floats_of_panel(longest_chunk) + floats_of_copy;
}

static int64_t digits_size(int64_t depth, int64_t columns) {
  const Chunks chunks = chunks_of(depth);
  return (columns + panel_width - 1) / panel_width * chunks.count * floats_of_panel(chunks.length);
}

// A chunk of the 32 columns from `column` on; the scales are behind the digits of a whole chunk.
static RightColumns columns_at(const Source& b, const Chunks& chunks, int64_t chunk, int64_t column, float* copied,
                               float* to) {
  const int64_t first = chunks.begin(chunk), depth = chunks.depth_of(chunk);
  RightColumns columns{.data = copied,
                       .stride = panel_width,
                       .depth = depth,
                       .to = reinterpret_cast<int8_t*>(to),
                       .scales = to + panel_bytes(chunks.length) / 4,
                       .largest = {},
                       .to_fixed = {},
                       .next = 0,
                       .count = steps_of_right(depth)};
  if (b.column_stride == 1 && b.columns - column >= panel_width) {
    columns.data = b.data + first * b.depth_stride + column;
    columns.stride = b.depth_stride;
  } else {
    pack_panel<panel_width>(b, first, depth, column, copied);
  }
  return columns;
}

static void pack_digits(const Source& b, float* packed) {
  alignas(64) float copied[floats_of_copy];
  const Chunks chunks = chunks_of(b.depth);
  for (int64_t j = 0; j < b.columns; j += panel_width)
    for (int64_t chunk = 0; chunk < chunks.count; ++chunk, packed += floats_of_panel(chunks.length)) {
      RightColumns columns = columns_at(b, chunks, chunk, j, copied, packed);
      while (columns.next < columns.count) next_right(columns);
    }
}

// A panel's chunk and the rows that it is multiplied with.
struct Pass {
  const int8_t* left;
  const float* row_scales;
  int64_t rows, blocks;
  const int8_t* panel;
  const float* column_scales;
  const int8_t* next_panel;  // fetched meanwhile
  const float* start;
  int64_t start_stride;
  float* to;
  int64_t to_stride, columns;
};

// Of sixteen columns the first `count`.
FEDTUNE_INLINE __mmask16 first_of(int64_t count) {
  return count >= tile_side ? 0xFFFF : count <= 0 ? 0 : static_cast<__mmask16>((1U << count) - 1U);
}

// The sums of the last rows are left in `last`.
template <bool busy>
static void multiply_panel(Pass pass, int32_t* sums, Finish& last, Meanwhile& work) {
  Finish finish = last;
  const Floats scales[2] = {column_unit * load(pass.column_scales), column_unit * load(pass.column_scales + lanes)};
  const __mmask16 columns[2] = {first_of(pass.columns), first_of(pass.columns - tile_side)};
  const int64_t row_blocks = (pass.rows + tile_side - 1) / tile_side;
  const int64_t lines = pass.blocks * right_block / row_bytes, lines_of_block = (lines + row_blocks - 1) / row_blocks;
  int32_t* const lower = sums + sums_size;
  for (int64_t i = 0; i < pass.rows; i += tile_side) {
    for (int64_t line = 0; line < lines_of_block; ++line, pass.next_panel += row_bytes)
      __builtin_prefetch(pass.next_panel, 0, 2);
    if constexpr (busy)
      while (work.left.next < work.left.count && work.left.next < i + tile_side) next_left(work.left);
    const int8_t* const left_below = pass.left + pass.blocks * left_block;
    int32_t* const upper = finish.upper < lower ? sums + 2 * sums_size : sums;
    multiply_upper<busy>(pass.blocks, pass.left, pass.panel, finish, work, upper);
    multiply_lower<busy>(pass.blocks, pass.left, pass.panel, left_below, finish, work, lower);
    finish = {.rows = pass.rows - i < tile_side ? pass.rows - i : tile_side,
              .upper = upper,
              .lower = lower,
              .row_scales = pass.row_scales + i,
              .start = pass.start,
              .start_stride = pass.start_stride,
              .to = pass.to,
              .to_stride = pass.to_stride,
              .column_scales = {scales[0], scales[1]},
              .columns = {columns[0], columns[1]}};
    pass.left = left_below;
    pass.start += tile_side * pass.start_stride;
    pass.to += tile_side * pass.to_stride;
  }
  last = finish;
}

// Rows of the product, and chunks of its sums.
struct Part {
  int64_t row, rows, first_chunk, last_chunk;
};

static void multiply_part(const MatrixProduct& args, const Chunks& chunks, const Part& part, const Scratch& scratch) {
  static constexpr float zeros[panel_width] = {};
  const Source& b = args.b;
  const int64_t row_blocks = (part.rows + tile_side - 1) / tile_side;
  const int64_t left_of_chunk = row_blocks * depth_blocks(chunks.length) * left_block;
  Finish finish{};
  Meanwhile work{};
  if (!args.packed) work.right = columns_at(b, chunks, part.first_chunk, 0, scratch.copied, scratch.panels[0]);
  int64_t step = 0;
  for (int64_t j = 0; j < b.columns; j += panel_width)
    for (int64_t chunk = part.first_chunk; chunk < part.last_chunk; ++chunk, ++step) {
      const int64_t depth = chunks.depth_of(chunk);
      const bool begins = chunk == part.first_chunk, ends = chunk + 1 == part.last_chunk;
      int8_t* const left = scratch.left + (chunk - part.first_chunk) * left_of_chunk;
      float* const row_scales = scratch.row_scales + (chunk - part.first_chunk) * row_blocks * tile_side;
      if (j == 0)
        work.left = {.data = args.a + part.row * args.a_row_stride + chunks.begin(chunk),
                     .stride = args.a_row_stride,
                     .depth = depth,
                     .to = left,
                     .scales = row_scales,
                     .unit = row_unit,
                     .next = 0,
                     .count = part.rows};
      const float* panel = nullptr;
      if (args.packed) {
        panel = args.packed + (j / panel_width * chunks.count + chunk) * floats_of_panel(chunks.length);
      } else {
        while (work.right.next < work.right.count) next_right(work.right);
        panel = scratch.panels[step % 2];
        const int64_t next_column = ends ? j + panel_width : j, next_chunk = ends ? part.first_chunk : chunk + 1;
        if (next_column < b.columns)
          work.right = columns_at(b, chunks, next_chunk, next_column, scratch.copied, scratch.panels[(step + 1) % 2]);
      }
      float* const c = args.c + part.row * args.c_row_stride + j;
      const float* const bias = args.bias ? args.bias + j : zeros;
      const float* const before = chunk > 0 ? c : bias;
      const auto multiply = args.packed && j > 0 ? multiply_panel<false> : multiply_panel<true>;
      multiply({.left = left,
                .row_scales = row_scales,
                .rows = part.rows,
                .blocks = depth_blocks(depth),
                .panel = reinterpret_cast<const int8_t*>(panel),
                .column_scales = panel + panel_bytes(chunks.length) / 4,
                .next_panel = reinterpret_cast<const int8_t*>(panel + floats_of_panel(chunks.length)),
                .start = begins ? before : scratch.gathered,
                .start_stride = !begins     ? panel_width
                                : chunk > 0 ? args.c_row_stride
                                            : 0,
                .to = ends ? c : scratch.gathered,
                .to_stride = ends ? args.c_row_stride : panel_width,
                .columns = b.columns - j},
               scratch.sums, finish, work);
    }
  finish_all(finish);
}

static void multiply_digits(const MatrixProduct& args) {
  const Scratch scratch = scratch_in(args.scratch);
  const Chunks chunks = chunks_of(args.b.depth);
  const int64_t together = chunks.count < chunks_of_part ? chunks.count : chunks_of_part;
  const int64_t fitting = most_rows / together / tile_side * tile_side;
  const int64_t parts = (args.rows + fitting - 1) / fitting, equal = (args.rows + parts - 1) / parts;
  const int64_t rows = (equal + tile_side - 1) / tile_side * tile_side;
  _tile_loadconfig(&whole_tiles);
  for (int64_t i = 0; i < args.rows; i += rows)
    for (int64_t chunk = 0; chunk < chunks.count; chunk += together) {
      const int64_t left = chunks.count - chunk;
      multiply_part(args, chunks,
                    {.row = i,
                     .rows = args.rows - i < rows ? args.rows - i : rows,
                     .first_chunk = chunk,
                     .last_chunk = chunk + (left < together ? left : together)},
                    scratch);
    }
  _tile_release();
}

// A chain of so few multiply-adds rounds by less than 24 bits of the largest element do, and gains nothing here.
constexpr int64_t fewest_summed = 256;
static const Products& by_depth(int64_t depth) {
  static constexpr Products by_digits{.multiply = multiply_digits,
                                      .panel_width = panel_width,
                                      .packed_size = digits_size,
                                      .pack = pack_digits,
                                      .scratch_size = digits_scratch};
  return depth < fewest_summed ? avx512::set.products : by_digits;
}

static void multiply(const MatrixProduct& args) {
  by_depth(args.b.depth).multiply(args);
}
static int64_t packed_size(int64_t depth, int64_t columns) {
  return by_depth(depth).packed_size(depth, columns);
}
static void pack(const Source& b, float* packed) {
  by_depth(b.depth).pack(b, packed);
}
static int64_t scratch_size(bool packed) {
  const int64_t chains = avx512::set.products.scratch_size(packed), digits = digits_scratch(packed);
  return chains > digits ? chains : digits;
}

}  // namespace
}  // namespace amx

// Panels of either width end where those of three times 32 columns do.
constinit const Products amx::products{.multiply = amx::multiply,
                                       .panel_width = 3 * amx::panel_width,
                                       .packed_size = amx::packed_size,
                                       .pack = amx::pack,
                                       .scratch_size = amx::scratch_size};

}  // namespace fedtune::nn::kernels
#endif
