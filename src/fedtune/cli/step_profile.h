// --profile of the commands that train.
#pragma once

#include "fedtune/cli/options.h"

namespace fedtune::cli {

// Where the options ask for it, counts the steps from now on.
void start_step_profile(const Options& options);
// ... and prints where their time went, unless --quiet.
void print_step_profile(const Options& options);

}  // namespace fedtune::cli
