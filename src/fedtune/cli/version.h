// What this build is and what it runs on.
#pragma once

#include <string>

#include "fedtune/cli/options.h"

namespace fedtune::cli {

std::string fedtune_version();
// "2.13.0+cpu"
std::string torch_version();
// "avx512"; with bf16 "avx512, amx_bf16".
std::string kernels_text(DataType dtype);
// Several lines: version, torch, processor, kernels.
std::string version_text();

}  // namespace fedtune::cli
