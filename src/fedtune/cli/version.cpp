#include "fedtune/cli/version.h"

#include <fmt/format.h>
#include <torch/version.h>

#include "fedtune/base/cpu.h"
#include "fedtune/nn/kernels/bf16.h"
#include "fedtune/nn/kernels/select.h"

namespace fedtune::cli {

std::string fedtune_version() {
  return FEDTUNE_VERSION;
}

std::string torch_version() {
  return TORCH_VERSION;
}

std::string kernels_text(DataType dtype) {
  const std::string kernels = nn::kernels::active().name;
  if (dtype == DataType::fp32) return kernels;
  return fmt::format("{}, {}", kernels, nn::kernels::bf16_support().kernels->name);
}

std::string version_text() {
  const nn::kernels::Bf16Support& bf16 = nn::kernels::bf16_support();
  return fmt::format("fedtune {}\ntorch {}\nprocessor {} ({})\nkernels: {}\nbf16: {}\n", fedtune_version(),
                     torch_version(), cpu_model_name(), describe(cpu_features()), kernels_text(DataType::fp32),
                     bf16.kernels ? bf16.kernels->name : bf16.reason);
}

}  // namespace fedtune::cli
