// Layer normalisation behind a residual connection or an embedding.
#pragma once

#include "fedtune/nn/kernels/kernels.h"
#include "fedtune/nn/kernels/philox.h"

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

// Normalises z in place and returns 1 / deviation.
FEDTUNE_INLINE float normalise_row(int64_t features, float eps, float* z) {
  Floats total{};
  for_each_vector(features, [&](int64_t first, int64_t count) { total += load(z + first, count); });
  const float mean = sum(total) / static_cast<float>(features);
  Floats squares{};
  for_each_vector(features, [&](int64_t first, int64_t count) {
    Floats centred = load(z + first, count) - mean;
    store(z + first, centred, count);
    centred = load(z + first, count);  // 0 behind the row's end
    squares += centred * centred;
  });
  const float inverse = 1.0f / __builtin_sqrtf(sum(squares) / static_cast<float>(features) + eps);
  for_each_vector(features,
                  [&](int64_t first, int64_t count) { store(z + first, load(z + first, count) * inverse, count); });
  return inverse;
}

static void norm(const NormForward& args) {
  const int64_t features = args.features;
  float* const z = args.scratch;
  float* const mask = args.scratch + (features + padding - 1) / padding * padding;
  const Draw draw = prepare(args.drop);
  for (int64_t row = args.first; row < args.rows; ++row) {
    const int64_t start = row * features;
    if (args.drop.threshold) draw_row(draw, row, features, mask);
    for_each_vector(features, [&](int64_t first, int64_t count) {
      Floats x = load(args.x + start + first, count);
      if (args.bias) x += load(args.bias + first, count);
      if (args.drop.threshold) x *= load(mask + first);
      store(z + first, x + load(args.residual + start + first, count), count);
    });
    const float inverse = normalise_row(features, args.eps, z);
    if (args.inverse) args.inverse[row] = inverse;
    for_each_vector(features, [&](int64_t first, int64_t count) {
      const Floats normalised = load(z + first, count);
      if (args.normalised) store(args.normalised + start + first, normalised, count);
      store(args.y + start + first, normalised * load(args.gamma + first, count) + load(args.beta + first, count),
            count);
    });
  }
}

// One row's part of the gradients of gamma and beta.
FEDTUNE_INLINE void norm_row_parameters(int64_t features, const float* dy, const float* normalised, float* dgamma,
                                        float* dbeta) {
  for_each_vector(features, [&](int64_t first, int64_t count) {
    const Floats g = load(dy + first, count);
    if (dgamma) store(dgamma + first, load(dgamma + first, count) + g * load(normalised + first, count), count);
    if (dbeta) store(dbeta + first, load(dbeta + first, count) + g, count);
  });
}

static void norm_parameters(const NormParameters& args) {
  for (int64_t row = 0; row < args.rows; ++row)
    norm_row_parameters(args.features, args.dy + row * args.stride, args.normalised + row * args.stride, args.dgamma,
                        args.dbeta);
}

// One row of the gradient through layer_norm: dz from dy. dz may be dy.
FEDTUNE_INLINE void norm_row_backward(int64_t features, const float* dy, const float* normalised, float inverse,
                                      const float* gamma, float* dz) {
  Floats total{}, correlation{};
  for_each_vector(features, [&](int64_t first, int64_t count) {
    const Floats scaled = load(dy + first, count) * load(gamma + first, count);
    total += scaled;
    correlation += scaled * load(normalised + first, count);
  });
  const float mean = sum(total) / static_cast<float>(features);
  const float slope = sum(correlation) / static_cast<float>(features);
  for_each_vector(features, [&](int64_t first, int64_t count) {
    const Floats scaled = load(dy + first, count) * load(gamma + first, count);
    store(dz + first, (scaled - mean - load(normalised + first, count) * slope) * inverse, count);
  });
}

static void norm_backward(const NormBackward& args) {
  const int64_t features = args.features;
  const Draw draw = prepare(args.drop);
  for (int64_t row = args.first; row < args.rows; ++row) {
    const int64_t start = row * features;
    float* const dz = args.dresidual + start;
    norm_row_backward(features, args.dy + start, args.normalised + start, args.inverse[row], args.gamma, dz);
    if (!args.dx || args.dx == args.dresidual) continue;
    draw_row(draw, row, features, args.scratch);
    for_each_vector(features, [&](int64_t first, int64_t count) {
      store(args.dx + start + first, load(dz + first, count) * load(args.scratch + first), count);
    });
  }
}

static void embedding(const EmbeddingForward& args) {
  const int64_t features = args.features;
  float* const z = args.scratch;
  float* const mask = args.scratch + (features + padding - 1) / padding * padding;
  const Draw draw = prepare(args.drop);
  for (int64_t row = args.first; row < args.rows; ++row) {
    const int64_t start = row * features;
    const float* const word = args.word + args.ids[row] * features;
    const float* const position = args.position + args.positions[row] * features;
    const float* const type = args.type ? args.type + args.type_ids[row] * features : nullptr;
    for_each_vector(features, [&](int64_t first, int64_t count) {
      Floats x = load(word + first, count) + load(position + first, count);
      if (type) x += load(type + first, count);
      store(z + first, x, count);
    });
    const float inverse = normalise_row(features, args.eps, z);
    if (args.inverse) args.inverse[row] = inverse;
    if (args.drop.threshold) draw_row(draw, row, features, mask);
    for_each_vector(features, [&](int64_t first, int64_t count) {
      const Floats normalised = load(z + first, count);
      if (args.normalised) store(args.normalised + start + first, normalised, count);
      Floats y = normalised * load(args.gamma + first, count) + load(args.beta + first, count);
      if (args.drop.threshold) y *= load(mask + first);
      store(args.y + start + first, y, count);
    });
  }
}

FEDTUNE_INLINE void add_row(int64_t features, const float* x, float* to) {
  for_each_vector(features, [&](int64_t first, int64_t count) {
    store(to + first, load(to + first, count) + load(x + first, count), count);
  });
}

static void embedding_backward(const EmbeddingBackward& args) {
  const int64_t features = args.features;
  float* const dz = args.scratch;
  float* const mask = args.scratch + (features + padding - 1) / padding * padding;
  const Draw draw = prepare(args.drop);
  for (int64_t row = 0; row < args.rows; ++row) {
    const float* dy = args.dy + row * features;
    if (args.drop.threshold) {
      draw_row(draw, row, features, mask);
      for_each_vector(features, [&](int64_t first, int64_t count) {
        store(dz + first, load(dy + first, count) * load(mask + first), count);
      });
      dy = dz;
    }
    const float* const normalised = args.normalised + row * features;
    norm_row_parameters(features, dy, normalised, args.dgamma, args.dbeta);
    norm_row_backward(features, dy, normalised, args.inverse[row], args.gamma, dz);
    if (args.dword) add_row(features, dz, args.dword + args.ids[row] * features);
    if (args.dposition) add_row(features, dz, args.dposition + args.positions[row] * features);
    if (args.dtype) add_row(features, dz, args.dtype + args.type_ids[row] * features);
  }
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
