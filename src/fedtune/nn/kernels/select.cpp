#include "fedtune/nn/kernels/select.h"

#include "fedtune/base/cpu.h"
#include "fedtune/nn/kernels/sets.h"

namespace fedtune::nn::kernels {
namespace {

std::vector<const Kernels*> find_available() {
  std::vector<const Kernels*> found;
#if defined(__x86_64__)
  if (cpu_features().avx512) found.push_back(&avx512::set);
  if (cpu_features().avx2_fma) found.push_back(&avx2::set);
#endif
  found.push_back(&portable::set);
  return found;
}

thread_local const Kernels* forced = nullptr;

}  // namespace

const std::vector<const Kernels*>& available() {
  static const std::vector<const Kernels*> found = find_available();
  return found;
}

const Kernels& active() {
  return forced ? *forced : *available().front();
}

UseKernels::UseKernels(const Kernels& kernels) : before_(forced) {
  forced = &kernels;
}
UseKernels::~UseKernels() {
  forced = before_;
}

}  // namespace fedtune::nn::kernels
