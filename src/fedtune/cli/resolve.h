// From what was said to what holds: defaults that depend on others, paths made absolute, features that are not there.
#pragma once

#include "fedtune/cli/options.h"
#include "fedtune/nn/precision.h"

namespace fedtune::cli {

// Fills every optional value that a run needs and makes folder paths absolute; idempotent. Throws Error(usage) for
// combinations that cannot run, Error(input) for a missing checkpoint or data folder.
Options resolve_for_run(Options options);
// The same for eval, predict and inspect.
Options resolve_for_scoring(Options options);

// Whether the scheme has a teacher and a public share.
bool distils(const Options& options);
// Of frozen weights.
nn::Precision precision_of(const Options& options);
int workers_of(const Options& options);
// Per cent of the training set cut off first.
int public_percent(const Options& options);

}  // namespace fedtune::cli
