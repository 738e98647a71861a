#include "fedtune/cli/version.h"

#include <fmt/format.h>
#include <torch/version.h>

#include "fedtune/base/cpu.h"
#include "fedtune/nn/kernels/select.h"

namespace fedtune::cli {

std::string fedtune_version() {
  return FEDTUNE_VERSION;
}

std::string torch_version() {
  return TORCH_VERSION;
}

std::string version_text() {
  return fmt::format("fedtune {}\ntorch {}\nprocessor {} ({})\nkernels: {}\n", fedtune_version(), torch_version(),
                     cpu_model_name(), describe(cpu_features()), nn::kernels::active().name);
}

}  // namespace fedtune::cli
