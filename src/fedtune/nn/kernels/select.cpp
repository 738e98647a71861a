#include "fedtune/nn/kernels/select.h"

#include <atomic>

#include "fedtune/base/cpu.h"
#include "fedtune/nn/kernels/matrix_unit.h"
#include "fedtune/nn/kernels/sets.h"

namespace fedtune::nn::kernels {
namespace {

#if defined(__x86_64__)
Kernels with_matrix_unit() {
  Kernels set = avx512::set;
  set.name = "amx";
  set.products = amx::products;
  return set;
}
#endif

std::vector<const Kernels*> find_available() {
  std::vector<const Kernels*> found;
#if defined(__x86_64__)
  static const Kernels matrix_unit = with_matrix_unit();
  if (cpu_features().avx512 && cpu_features().amx_int8 && matrix_unit_granted()) found.push_back(&matrix_unit);
  if (cpu_features().avx512) found.push_back(&avx512::set);
  if (cpu_features().avx2_fma) found.push_back(&avx2::set);
#endif
  found.push_back(&portable::set);
  return found;
}

thread_local const Kernels* forced = nullptr;
std::atomic<const Kernels*> chosen = nullptr;

}  // namespace

const std::vector<const Kernels*>& available() {
  static const std::vector<const Kernels*> found = find_available();
  return found;
}

const Kernels* find(std::string_view name) {
  for (const Kernels* kernels : available()) {
    if (name == kernels->name) return kernels;
  }
  return nullptr;
}

const Kernels& active() {
  if (forced) return *forced;
  const Kernels* const everywhere = chosen.load(std::memory_order_relaxed);
  return everywhere ? *everywhere : *available().front();
}

void use_on_all_threads(const Kernels& kernels) {
  chosen = &kernels;
}

UseKernels::UseKernels(const Kernels& kernels) : before_(forced) {
  forced = &kernels;
}
UseKernels::~UseKernels() {
  forced = before_;
}

}  // namespace fedtune::nn::kernels
