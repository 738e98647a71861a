// The strategy of a run's scheme.
#pragma once

#include <functional>
#include <memory>

#include "fedtune/cli/federation.h"
#include "fedtune/cli/options.h"
#include "fedtune/fed/strategy.h"

namespace fedtune::cli {

// `federation` outlives it. `on_distil_step` is told the loss of each step of the server's distillation.
std::unique_ptr<fed::Strategy> make_strategy(const Options& options, const Federation& federation,
                                             std::function<void(double loss)> on_distil_step);

}  // namespace fedtune::cli
