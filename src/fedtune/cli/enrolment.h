// What the parties of a federation agree on: the server's options win, and a client that says otherwise is told.
#pragma once

#include <string>

#include "fedtune/cli/command_line.h"

namespace fedtune::cli {

// The options that decide a run's results, for the announcement to clients: a JSON object, option to value.
std::string announced_options(const Options& options);

// A client's options: the announced ones, with its own for what is its own affair (where its model, its data and its
// device are; what cannot change results). Throws Error(usage) listing each option of `line` that contradicts the
// announcement, Error(network) for an announcement that cannot be read.
Options enrolled_options(const CommandLine& line, const std::string& announced);

}  // namespace fedtune::cli
