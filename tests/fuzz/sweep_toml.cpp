// A sweep in TOML.
#include <algorithm>

#include "support.h"

#include "fedtune/cli/sweep/sweep_file.h"

FEDTUNE_FUZZ_TARGET(sweep_toml) {
  using namespace fedtune;
  static const fuzz::Scratch scratch;
  const auto file = scratch.write("sweep.toml", fuzz::text_of(data, size));
  const auto sweep = fuzz::accepted([&] { return cli::read_sweep(file); });
  if (!sweep) return 0;
  fuzz::require(std::ranges::none_of(sweep->axes, [](const cli::Axis& axis) { return axis.values.empty(); }),
                "an option that varies has values");
  fuzz::require(!sweep->tuning || !sweep->tuning->candidates.empty(), "tuning tunes something");
  return 0;
}
