// A drill's script in TOML.
#include <algorithm>

#include "support.h"

#include "fedtune/cli/drill/fault_file.h"

FEDTUNE_FUZZ_TARGET(fault_toml) {
  using namespace fedtune;
  static const fuzz::Scratch scratch;
  const auto path = scratch.write("faults.toml", fuzz::text_of(data, size));
  const auto file = fuzz::accepted([&] { return cli::read_fault_file(path); });
  if (!file) return 0;
  constexpr int clients = 20;
  for (const cli::Fault& fault : file->faults) {
    const auto struck = cli::struck_by(fault, {.seed = file->seed, .index = 1, .round = 3, .clients = clients});
    fuzz::require(std::ranges::all_of(struck, [](int rank) { return rank >= 1; }), "a fault strikes ranks from 1");
    fuzz::require(!fault.clients.empty() || struck.size() <= clients, "and no more than there are");
  }
  return 0;
}
