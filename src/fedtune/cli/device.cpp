#include "fedtune/cli/device.h"

#include <charconv>

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include "fedtune/base/error.h"
#include "fedtune/base/memory.h"
#include "fedtune/cli/option_values.h"
#include "fedtune/cli/version.h"
#include "fedtune/nn/kernels/select.h"
#include "fedtune/nn/thread.h"

namespace fedtune::cli {
namespace {

// The number behind "cuda:", or -1.
int cuda_index(std::string_view digits) {
  int index = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  return error == std::errc{} && end == digits.data() + digits.size() ? index : -1;
}

}  // namespace

c10::Device device_named(const std::string& name) {
  if (name == "cpu") return c10::kCPU;
  const int index = name == "cuda" ? 0 : name.starts_with("cuda:") ? cuda_index(std::string_view(name).substr(5)) : -1;
  if (index < 0) throw usage_error("--device {}: expected cpu, cuda or cuda:N", name);
  if (!at::hasCUDA()) {
    throw usage_error("--device {}: torch {} finds no CUDA here (a build without it, no driver or no GPU); use cpu",
                      name, torch_version());
  }
  const int devices = at::detail::getCUDAHooks().deviceCount();
  if (index >= devices) throw usage_error("--device {}: there are {} CUDA devices, from cuda:0", name, devices);
  return {c10::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

c10::Device prepare_to_compute(const Options& options) {
  const c10::Device device = device_named(options.training.device);
  keep_freed_memory();
  if (options.training.kernels != KernelSet::automatic) {
    nn::kernels::use_on_all_threads(*nn::kernels::find(word(options.training.kernels)));
  }
  nn::set_threads_per_worker(options.training.threads);
  nn::prepare_worker_thread();
  return device;
}

}  // namespace fedtune::cli
