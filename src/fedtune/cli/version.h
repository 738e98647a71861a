// What this build is and what it runs on.
#pragma once

#include <string>

namespace fedtune::cli {

std::string fedtune_version();
// "2.13.0+cpu"
std::string torch_version();
// Several lines: version, torch, processor, kernels.
std::string version_text();

}  // namespace fedtune::cli
