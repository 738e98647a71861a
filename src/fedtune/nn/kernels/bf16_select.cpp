#include "fedtune/base/cpu.h"
#include "fedtune/nn/kernels/bf16_sets.h"
#include "fedtune/nn/kernels/matrix_unit.h"

namespace fedtune::nn::kernels {
namespace {

#if defined(__x86_64__)
bool has_amx_bf16() {
  return cpu_features().avx512_bf16 && cpu_features().amx_bf16 && matrix_unit_granted();
}

Bf16Support find_support() {
  const CpuFeatures& features = cpu_features();
  if (has_amx_bf16()) return {.kernels = &amx_bf16::set, .reason = {}};
  // AMD's vector instruction has twice the rate of fp32; Intel's, without the matrix unit, half of it.
  if (features.avx512_bf16 && features.amd) return {.kernels = &avx512_bf16::set, .reason = {}};
  if (features.amx_bf16)
    return {.kernels = nullptr, .reason = "the operating system does not grant the matrix unit (AMX)"};
  if (features.avx512_bf16)
    return {.kernels = nullptr, .reason = "without the matrix unit (AMX) bf16 is slower than fp32 here"};
  return {.kernels = nullptr, .reason = "the processor has neither AMX-BF16 nor AVX512_BF16"};
}
#else
Bf16Support find_support() {
  return {.kernels = nullptr, .reason = "this processor is none of those bf16 kernels are written for"};
}
#endif

std::vector<const Bf16Kernels*> find_available_bf16() {
  std::vector<const Bf16Kernels*> found;
#if defined(__x86_64__)
  if (has_amx_bf16()) found.push_back(&amx_bf16::set);
  if (cpu_features().avx512_bf16) found.push_back(&avx512_bf16::set);
#endif
  found.push_back(&portable_bf16::set);
  return found;
}

}  // namespace

const Bf16Support& bf16_support() {
  static const Bf16Support support = find_support();
  return support;
}

const std::vector<const Bf16Kernels*>& available_bf16() {
  static const std::vector<const Bf16Kernels*> found = find_available_bf16();
  return found;
}

}  // namespace fedtune::nn::kernels
