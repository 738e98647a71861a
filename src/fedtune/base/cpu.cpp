#include "fedtune/base/cpu.h"

#include <cstdint>
#include <fstream>

#include <cpuid.h>

namespace fedtune {
namespace {

struct Registers {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  Registers r;
  if (__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx) == 0) return {};
  return r;
}

constexpr bool bit(std::uint64_t value, int index) {
  return ((value >> index) & 1) != 0;
}

// XCR0: which registers the operating system saves.
std::uint64_t saved_registers() {
  if (!bit(cpuid(1).ecx, 27)) return 0;  // OSXSAVE
  std::uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t{high} << 32) | low;
}

CpuFeatures detect() {
  const Registers basic = cpuid(1);
  const Registers extended = cpuid(7);
  const std::uint64_t saved = saved_registers();
  const bool ymm = bit(saved, 1) && bit(saved, 2);
  const bool zmm = ymm && bit(saved, 5) && bit(saved, 6) && bit(saved, 7);
  const bool tiles = bit(saved, 17) && bit(saved, 18);

  CpuFeatures found;
  found.avx2_fma = ymm && bit(basic.ecx, 12) && bit(extended.ebx, 5);
  const bool f = bit(extended.ebx, 16), dq = bit(extended.ebx, 17), bw = bit(extended.ebx, 30),
             vl = bit(extended.ebx, 31);
  found.avx512 = zmm && f && dq && bw && vl;
  found.avx512_bf16 = found.avx512 && bit(cpuid(7, 1).eax, 5);
  found.avx512_fp16 = found.avx512 && bit(extended.edx, 23);
  found.amx_bf16 = tiles && bit(extended.edx, 24) && bit(extended.edx, 22);
  found.amx_int8 = tiles && bit(extended.edx, 24) && bit(extended.edx, 25);
  found.amd = cpuid(0).ebx == signature_AMD_ebx;
  return found;
}

}  // namespace

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = detect();
  return features;
}

std::string cpu_model_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string describe(const CpuFeatures& features) {
  std::string text;
  const auto add = [&text](bool present, const char* name) {
    if (!present) return;
    if (!text.empty()) text += ' ';
    text += name;
  };
  add(features.avx2_fma, "avx2");
  add(features.avx512, "avx512");
  add(features.avx512_bf16, "avx512_bf16");
  add(features.avx512_fp16, "avx512_fp16");
  add(features.amx_bf16, "amx_bf16");
  add(features.amx_int8, "amx_int8");
  return text.empty() ? "baseline" : text;
}

}  // namespace fedtune
