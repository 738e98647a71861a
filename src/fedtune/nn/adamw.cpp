#include "fedtune/nn/adamw.h"

#include <algorithm>

#include "fedtune/nn/fused.h"
#include "fedtune/nn/kernels/select.h"
#include "fedtune/nn/parallel.h"

namespace fedtune::nn {
namespace {

// Elements [first, last) of the slot's tensors.
void step_elements(const kernels::Kernels& set, const AdamWSlot& slot, const AdamWConstants& constants,
                   std::int64_t first, std::int64_t last) {
  set.adamw({.count = last - first,
             .parameter = write(slot.parameter) + first,
             .gradient = read(slot.gradient) + first,
             .mean = write(slot.mean) + first,
             .square = write(slot.square) + first,
             .mean_share = constants.mean_share,
             .square_kept = constants.square_kept,
             .square_share = constants.square_share,
             .kept = constants.kept,
             .step = constants.step,
             .root_correction = constants.root_correction,
             .eps = constants.eps,
             .first = slot.first});
}

void step_moved_rows(const AdamWSlot& slot, const AdamWConstants& constants) {
  const auto rows = static_cast<std::int64_t>(slot.moved.size());
  const std::int64_t features = slot.parameter.numel() / rows;
  constexpr std::int64_t fewest_rows = 64;
  const kernels::Kernels& set = kernels::active();
  parallel_rows(rows, fewest_rows, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      char& moved = slot.moved[static_cast<std::size_t>(row)];
      moved = moved || !set.is_zero(features, read(slot.gradient) + row * features);
      if (moved) step_elements(set, slot, constants, row * features, (row + 1) * features);
    }
  });
}

}  // namespace

bool takes_adamw_step(const at::Tensor& parameter) {
  return use_kernels(parameter) && parameter.is_contiguous();
}

void adamw_step(const AdamWSlot& slot, const AdamWConstants& constants) {
  if (!slot.moved.empty()) return step_moved_rows(slot, constants);
  constexpr std::int64_t fewest_elements = 16384;
  const kernels::Kernels& set = kernels::active();
  parallel_rows(slot.parameter.numel(), fewest_elements,
                [&](std::int64_t first, std::int64_t last) { step_elements(set, slot, constants, first, last); });
}

}  // namespace fedtune::nn
