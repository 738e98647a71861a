// Kernels on raw pointers: what the fused operations run on a CPU.
//
// The same source is compiled for several instruction sets (avx512.cpp, avx2.cpp, portable.cpp); select.h picks one set
// per process. This header is read by all of them and so holds plain data only: an inline function here would be
// compiled with instructions that another processor lacks. Every kernel runs on the calling thread, in a fixed order of
// additions. Matrices are fp32, row-major and without gaps unless a stride is named. A pointer marked "or null"
// switches its part off. Rows, or sentences, below `first` are left alone: threads share a matrix by it.
#pragma once

#include <stdint.h>

namespace fedtune::nn::kernels {

// How to draw a dropout mask; see dropout.h.
struct Drop {
  uint32_t key[2];
  uint32_t threshold;      // a random word below it drops its element; 0: nothing is dropped
  float scale;             // of what is kept: 1 / (1 - p)
  const int32_t* row_ids;  // row in the unpruned packed matrix, or null: row i is row i
};

// y = gelu(x + bias). y may be x, unless the derivative is.
struct GeluForward {
  int64_t rows, features;
  const float* x;
  const float* bias;  // or null
  float* y;
  float* derivative;  // of y with respect to x, or null; may be x
};

// dx = dropout'(dz), where z = dropout(x + bias) + residual and y = layer_norm(z).
struct NormForward {
  int64_t first, rows, features;
  const float* x;
  const float* bias;  // or null
  const float* residual;
  const float* gamma;
  const float* beta;
  float eps;
  Drop drop;
  float* y;
  float* normalised;  // (z - mean) / deviation, or null; may be x
  float* inverse;     // 1 / deviation [rows], or null
  float* scratch;     // [2 * padded(features)]
};

struct NormBackward {
  int64_t first, rows, features;
  const float* dy;
  const float* normalised;
  const float* inverse;
  const float* gamma;
  Drop drop;
  float* dresidual;  // gradient of z
  float* dx;         // or null; may be dresidual when nothing is dropped
  float* scratch;    // [2 * padded(features)]
};

// Of the columns of a matrix whose rows are `stride` apart.
struct NormParameters {
  int64_t rows, features, stride;
  const float* dy;
  const float* normalised;
  float* dgamma;  // or null; added to
  float* dbeta;   // or null; added to
};

// sum[feature] += sum of x over rows, which are `stride` apart.
struct ColumnSum {
  int64_t rows, features, stride;
  const float* x;
  float* sum;
};

// y = dropout(layer_norm(word[id] + position[pos] + type[type_id])).
struct EmbeddingForward {
  int64_t first, rows, features;
  const int32_t* ids;
  const int32_t* positions;
  const int32_t* type_ids;
  const float* word;
  const float* position;
  const float* type;  // or null
  const float* gamma;
  const float* beta;
  float eps;
  Drop drop;
  float* y;
  float* normalised;  // or null
  float* inverse;     // or null
  float* scratch;     // [2 * padded(features)]
};

struct EmbeddingBackward {
  int64_t rows, features;
  const int32_t* ids;
  const int32_t* positions;
  const int32_t* type_ids;
  const float* dy;
  const float* normalised;
  const float* inverse;
  const float* gamma;
  Drop drop;
  float* dword;      // or null; added to, row by row, as all that follow
  float* dposition;  // or null
  float* dtype;      // or null
  float* dgamma;     // or null
  float* dbeta;      // or null
  float* scratch;    // [2 * padded(features)]
};

// Sentence s owns keys offsets[s] .. offsets[s + 1] - 1 and the same queries, or query s alone.
struct AttentionShape {
  int64_t first, sentences, heads, head_dim;
  const int32_t* offsets;
  bool first_query_only;
};

// Probabilities as they are kept for the backward pass: sentence by sentence [heads, queries, padded(keys)], before
// dropout, negative where dropped, 0 behind the last key.
struct AttentionForward {
  AttentionShape shape;
  const float* q;
  const float* k;
  const float* v;
  Drop drop;
  float* context;
  float* saved;          // or null
  float* probabilities;  // [sum of len^2, heads], or null
  float* scratch;        // attention_scratch floats
};

struct AttentionBackward {
  AttentionShape shape;
  const float* q;
  const float* k;
  const float* v;
  const float* saved;
  const float* dcontext;        // or null
  const float* dprobabilities;  // or null
  Drop drop;                    // its scale alone is read
  float* dq;                    // or null
  float* dk;                    // or null
  float* dv;                    // or null
  float* scratch;               // attention_scratch floats
};

// h = scale * dropout(x) w^T: x [rows, features], w [rank, features], h [rows, rank].
struct Project {
  int64_t first, rows, features, rank;
  const float* x;
  const float* w;
  float scale;
  Drop drop;
  float* h;
  float* scratch;  // [row_block * padded(features)]
};

// y += dropout(h w): h [rows, rank], w [rank, features], y [rows, features].
struct Expand {
  int64_t first, rows, features, rank;
  const float* h;
  const float* w;
  Drop drop;
  float* y;
  float* scratch;  // [(row_block + 1) * padded(features)]
};

// dw += h^T dropout(x): h [rows, rank], x [rows, features], dw [rank, features].
struct Outer {
  int64_t rows, features, rank;
  const float* h;
  const float* x;
  Drop drop;
  float* dw;
  float* scratch;  // [row_block * padded(features)]
};

// mean += (gradient - mean) mean_share, square = square square_kept + gradient^2 square_share,
// parameter = parameter kept - step mean / (sqrt(square) root_correction + eps).
// `first`: mean and square are 0, whatever lies there, and are written only.
struct AdamWStep {
  int64_t count;
  float* parameter;
  const float* gradient;
  float* mean;
  float* square;
  float mean_share, square_kept, square_share, kept, step, root_correction, eps;
  bool first;
};

// The right matrix of a product, [depth, columns] or its transpose: element (k, j) is data[k * depth_stride + j *
// column_stride], one of the strides being 1.
struct Source {
  int64_t depth, columns;
  const float* data;
  int64_t depth_stride, column_stride;
};

// c = a b + bias: a [rows, depth] and c [rows, columns], their rows a_row_stride and c_row_stride apart. Each element
// is a chain of additions in an order of depth that is the set's, whatever tile it falls into, so that its bits depend
// neither on `rows` nor on packing.
struct MatrixProduct {
  int64_t rows;
  const float* a;
  int64_t a_row_stride;
  Source b;
  const float* packed;  // b as `pack` of the same set laid it out; or null: data and strides of b are read
  const float* bias;    // [columns], or null
  float* c;
  int64_t c_row_stride;
  float* scratch;  // [scratch_size(packed)]
};

struct Products {
  void (*multiply)(const MatrixProduct&);
  // Lays b out for `multiply`, in panels of panel_width columns one after the other: packed_size floats. The panels
  // from column j on, a multiple of panel_width, begin at packed_size(depth, j).
  int64_t panel_width;
  int64_t (*packed_size)(int64_t depth, int64_t columns);
  void (*pack)(const Source& b, float* packed);
  int64_t (*scratch_size)(bool packed);  // floats
};

struct Kernels {
  const char* name;
  void (*gelu)(const GeluForward&);
  void (*norm)(const NormForward&);
  void (*norm_backward)(const NormBackward&);
  void (*norm_parameters)(const NormParameters&);
  void (*embedding)(const EmbeddingForward&);
  void (*embedding_backward)(const EmbeddingBackward&);
  void (*attention)(const AttentionForward&);
  void (*attention_backward)(const AttentionBackward&);
  void (*project)(const Project&);
  void (*expand)(const Expand&);
  void (*outer)(const Outer&);
  Products products;
  // y = tanh(x), and dx = dy * (1 - y^2).
  void (*tanh)(int64_t count, const float* x, float* y);
  void (*tanh_backward)(int64_t count, const float* dy, const float* y, float* dx);
  void (*adamw)(const AdamWStep&);
  // Whether every element is 0.
  bool (*is_zero)(int64_t count, const float* x);
  // y = x^T: x [rows, columns], its rows x_stride apart.
  void (*transpose)(int64_t rows, int64_t columns, const float* x, int64_t x_stride, float* y);
  // z = x * y, element by element.
  void (*multiply)(int64_t count, const float* x, const float* y, float* z);
  void (*column_sum)(const ColumnSum&);
  // The mask of dropout.h: [rows, features].
  void (*mask)(int64_t rows, int64_t features, const Drop& drop, float* mask);
  // For tests: y = exp(x), x <= 0.
  void (*exp)(int64_t count, const float* x, float* y);
};

// Rows of a scratch block; what scratch rows and saved probabilities are padded to, in floats.
enum : int64_t { row_block = 8, padding = 64, key_padding = 16 };

}  // namespace fedtune::nn::kernels
