// AdamW's step: parameter and moments are read once, but for moments of a first step, and written once.
#pragma once

#include "fedtune/nn/kernels/kernels.h"
#include "fedtune/nn/kernels/simd.h"

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

template <bool first_step>
static void adamw_step(const AdamWStep& args) {
  for_each_vector(args.count, [&](int64_t first, int64_t part) {
    const auto moment = [&](const float* x) { return first_step ? Floats{} : load(x + first, part); };
    const Floats gradient = load(args.gradient + first, part);
    Floats mean = moment(args.mean);
    mean += (gradient - mean) * args.mean_share;
    const Floats square = moment(args.square) * args.square_kept + gradient * gradient * args.square_share;
    const Floats scale = sqrt(square) * args.root_correction + args.eps;
    store(args.mean + first, mean, part);
    store(args.square + first, square, part);
    store(args.parameter + first, load(args.parameter + first, part) * args.kept - mean * args.step / scale, part);
  });
}

static void adamw(const AdamWStep& args) {
  if (args.first) return adamw_step<true>(args);
  adamw_step<false>(args);
}

static bool is_zero(int64_t count, const float* x) {
  Words bits{};
  for_each_vector(count, [&](int64_t first, int64_t part) { bits |= (Words)load(x + first, part) & 0x7FFFFFFFu; });
  uint32_t any = 0;
  for (int64_t i = 0; i < lanes; ++i) any |= bits[i];
  return any == 0;
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
