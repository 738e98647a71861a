// Attention within each sentence, head by head.
#pragma once

#include "fedtune/nn/kernels/math.h"
#include "fedtune/nn/kernels/philox.h"
#include "fedtune/nn/kernels/small_gemm.h"
#include "fedtune/nn/kernels/transpose.h"

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

// One sentence under one head.
struct Block {
  int64_t queries, keys, padded_keys, head_dim;
  int64_t features;                // distance of two rows of q, k, v and the context
  int64_t first_query, first_key;  // where the block starts in q and the context, in k and v
  int64_t saved;                   // ... in the saved probabilities
  int64_t pairs;                   // ... in the packed probabilities
  int64_t head, heads;
  uint32_t query_row;  // of the first query in the unpruned packed matrix
  float scale;
};

template <typename Body>
FEDTUNE_INLINE void for_each_block(const AttentionShape& shape, Body body) {
  const int64_t features = shape.heads * shape.head_dim;
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(shape.head_dim));
  int64_t saved = 0, pairs = 0;
  for (int64_t s = 0; s < shape.sentences; ++s) {
    const int64_t start = shape.offsets[s];
    const int64_t keys = shape.offsets[s + 1] - start;
    const int64_t padded_keys = (keys + key_padding - 1) / key_padding * key_padding;
    const int64_t queries = shape.first_query_only ? 1 : keys;
    if (s < shape.first) {
      saved += shape.heads * queries * padded_keys;
      pairs += queries * keys;
      continue;
    }
    for (int64_t head = 0; head < shape.heads; ++head) {
      const int64_t column = head * shape.head_dim;
      body(Block{queries, keys, padded_keys, shape.head_dim, features,
                 (shape.first_query_only ? s : start) * features + column, start * features + column, saved,
                 pairs * shape.heads + head, head, shape.heads, static_cast<uint32_t>(start), scale});
      saved += queries * padded_keys;
    }
    pairs += queries * keys;
  }
}

// [keys, head_dim] -> [head_dim, padded_keys], 0 behind the last key.
FEDTUNE_INLINE void transpose_keys(const Block& block, const float* from, float* to) {
  const int64_t width = block.padded_keys;
  int64_t d = 0;
  for (; d + lanes <= block.head_dim; d += lanes)
    for (int64_t j = 0; j < width; j += lanes)
      transpose_square({from + j * block.features + d, block.features, to + d * width + j, width}, block.keys - j);
  for (; d < block.head_dim; ++d)
    for (int64_t j = 0; j < width; ++j) to[d * width + j] = j < block.keys ? from[j * block.features + d] : 0.0f;
}

// Scores to probabilities, in place; 0 behind the last key.
FEDTUNE_INLINE void softmax_row(const Block& block, float* row) {
  const Floats lowest = broadcast(-3.0e38f);
  Ints key;
  for (int64_t i = 0; i < lanes; ++i) key[i] = static_cast<int32_t>(i);
  const Ints keys = Ints{} + static_cast<int32_t>(block.keys);
  Floats highest = lowest;
  for (int64_t j = 0; j < block.padded_keys; j += lanes, key += static_cast<int32_t>(lanes)) {
    const Floats score = key < keys ? load(row + j) : lowest;
    store(row + j, score);
    highest = max(highest, score);
  }
  const float top = max(highest);
  Floats total{};
  for (int64_t j = 0; j < block.padded_keys; j += lanes) {
    const Floats e = exp_of_negative(load(row + j) - top);
    store(row + j, e);
    total += e;
  }
  const float inverse = 1.0f / sum(total);
  for (int64_t j = 0; j < block.padded_keys; j += lanes) store(row + j, load(row + j) * inverse);
}

// Probabilities to weights, in place; what is saved tells the dropped by their sign.
FEDTUNE_INLINE void drop_row(const Block& block, const Draw& draw, int64_t query, float* row, float* saved) {
  Words counters =
      first_counters(block.query_row + static_cast<uint32_t>(query), static_cast<uint32_t>(block.head + 1));
  for (int64_t j = 0; j < block.padded_keys; j += lanes) {
    const auto dropped = random_words(draw, counters) < draw.threshold;
    const Floats p = load(row + j);
    if (saved) store(saved + j, dropped ? -p : p);
    store(row + j, dropped ? Floats{} : p * draw.scale);
    counters = next_counters(counters);
  }
}

static void attention(const AttentionForward& args) {
  const Draw draw = prepare(args.drop);
  for_each_block(args.shape, [&](const Block& block) {
    const int64_t width = block.padded_keys;
    float* const keys = args.scratch;
    float* const weights = keys + block.head_dim * width;
    transpose_keys(block, args.k + block.first_key, keys);
    multiply<Into::assign>({block.queries, width, block.head_dim}, {args.q + block.first_query, block.features, 1},
                           {keys, width}, {weights, width}, block.scale);
    for (int64_t i = 0; i < block.queries; ++i) {
      float* const row = weights + i * width;
      float* const saved = args.saved ? args.saved + block.saved + i * width : nullptr;
      softmax_row(block, row);
      if (args.probabilities)
        for (int64_t j = 0; j < block.keys; ++j)
          args.probabilities[block.pairs + (i * block.keys + j) * block.heads] = row[j];
      if (args.drop.threshold)
        drop_row(block, draw, i, row, saved);
      else if (saved)
        for (int64_t j = 0; j < width; j += lanes) store(saved + j, load(row + j));
    }
    multiply<Into::assign>({block.queries, block.head_dim, block.keys}, {weights, width, 1},
                           {args.v + block.first_key, block.features},
                           {args.context + block.first_query, block.features}, 1.0f);
  });
}

FEDTUNE_INLINE Floats magnitude(Floats x) {
  return (Floats)((Words)x & 0x7FFFFFFFu);
}

// Weights as the forward pass had them, from what it saved.
FEDTUNE_INLINE void restore_weights(const Block& block, const Drop& drop, const float* saved, float* weights) {
  for (int64_t j = 0; j < block.queries * block.padded_keys; j += lanes) {
    const Floats p = load(saved + j);
    store(weights + j, p < 0.0f ? Floats{} : magnitude(p) * drop.scale);
  }
}

// The gradient of one row of scores, from that of its weights, in place.
FEDTUNE_INLINE void softmax_row_backward(const Block& block, const AttentionBackward& args, int64_t query, float* row) {
  const float* const saved = args.saved + block.saved + query * block.padded_keys;
  const float* const external =
      args.dprobabilities ? args.dprobabilities + block.pairs + query * block.keys * block.heads : nullptr;
  Floats total{};
  for (int64_t j = 0; j < block.padded_keys; j += lanes) {
    const Floats p = load(saved + j);
    Floats gradient = p < 0.0f ? Floats{} : load(row + j) * args.drop.scale;
    if (external)
      for (int64_t i = 0; i < lanes && j + i < block.keys; ++i) gradient[i] += external[(j + i) * block.heads];
    store(row + j, gradient);
    total += magnitude(p) * gradient;
  }
  const float mean = sum(total);
  for (int64_t j = 0; j < block.padded_keys; j += lanes)
    store(row + j, magnitude(load(saved + j)) * (load(row + j) - mean) * block.scale);
}

static void attention_backward(const AttentionBackward& args) {
  for_each_block(args.shape, [&](const Block& block) {
    const int64_t width = block.padded_keys;
    float* const values = args.scratch;
    float* const weights = values + block.head_dim * width;
    float* const scores = weights + block.queries * width;
    const Extent to_queries{block.queries, block.head_dim, block.keys};
    const Extent to_keys{block.keys, block.head_dim, block.queries};

    for (int64_t j = 0; j < block.queries * width; j += lanes) store(scores + j, Floats{});
    if (args.dcontext) {
      const float* const dcontext = args.dcontext + block.first_query;
      transpose_keys(block, args.v + block.first_key, values);
      multiply<Into::assign>({block.queries, width, block.head_dim}, {dcontext, block.features, 1}, {values, width},
                             {scores, width}, 1.0f);
    }
    if (args.dv && args.dcontext) {
      restore_weights(block, args.drop, args.saved + block.saved, weights);
      multiply<Into::assign>(to_keys, {weights, 1, width}, {args.dcontext + block.first_query, block.features},
                             {args.dv + block.first_key, block.features}, 1.0f);
    }
    if (!args.dq && !args.dk) return;
    for (int64_t i = 0; i < block.queries; ++i) softmax_row_backward(block, args, i, scores + i * width);
    if (args.dq)
      multiply<Into::assign>(to_queries, {scores, width, 1}, {args.k + block.first_key, block.features},
                             {args.dq + block.first_query, block.features}, 1.0f);
    if (args.dk)
      multiply<Into::assign>(to_keys, {scores, 1, width}, {args.q + block.first_query, block.features},
                             {args.dk + block.first_key, block.features}, 1.0f);
  });
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
