// A profile as a table for the terminal.
#pragma once

#include <span>
#include <string>

#include "fedtune/base/profile.h"

namespace fedtune::report {

// One block per kind of step: each kind of work with its share, its time and, where they are counted, its
// floating-point operations per second; every figure is of one thread that trains.
std::string profile_text(std::span<const StepProfile> steps);

}  // namespace fedtune::report
