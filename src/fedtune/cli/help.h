// The text of --help: of the program, and of one command.
#pragma once

#include <string>

#include "fedtune/cli/command.h"

namespace fedtune::cli {

std::string program_help();
// At most 80 columns; two options to a line where they fit.
std::string command_help(const Command& command);

}  // namespace fedtune::cli
