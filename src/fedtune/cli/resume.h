// Going on with a run: what it was started with, and what may be said differently.
#pragma once

#include <string>

#include "fedtune/cli/command_line.h"
#include "fedtune/cli/run_folder.h"

namespace fedtune::cli {

// The options in the run's config.toml, with those of `line` that cannot change results. Throws Error(usage) listing
// each option of `line` that could and differs.
Options resumed_options(const CommandLine& line, const RunFolder& folder);

// Stands for every option that may change results.
std::string configuration_hash(const Options& options);

}  // namespace fedtune::cli
