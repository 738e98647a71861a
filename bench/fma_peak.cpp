#include "fma_peak.h"

#include <algorithm>
#include <chrono>

#include "fedtune/base/cpu.h"

namespace fedtune::bench {
namespace {

constexpr int rounds = 200000;
constexpr int accumulators = 12;

#if defined(__x86_64__)
// Assembly, because a compiler would spill, merge or drop the accumulators.
#define FEDTUNE_FMA(width, to) "vfmadd231ps %%" width "mm0, %%" width "mm1, %%" width "mm" to "\n\t"
// clang-format off
#define FEDTUNE_TWELVE(width)                                                                           \
  FEDTUNE_FMA(width, "2") FEDTUNE_FMA(width, "3") FEDTUNE_FMA(width, "4") FEDTUNE_FMA(width, "5")       \
  FEDTUNE_FMA(width, "6") FEDTUNE_FMA(width, "7") FEDTUNE_FMA(width, "8") FEDTUNE_FMA(width, "9")       \
  FEDTUNE_FMA(width, "10") FEDTUNE_FMA(width, "11") FEDTUNE_FMA(width, "12") FEDTUNE_FMA(width, "13")
// clang-format on
#define FEDTUNE_CLOBBERED                                                                                          \
  "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", \
      "xmm13"

void multiply_add_512() {
  int left = rounds;
  asm volatile(
      "vpxor %%xmm0, %%xmm0, %%xmm0\n\tvpxor %%xmm1, %%xmm1, %%xmm1\n\t"
      "1:\n\t" FEDTUNE_TWELVE("z") "dec %0\n\tjnz 1b\n\tvzeroupper"
      : "+r"(left)
      :
      : FEDTUNE_CLOBBERED);
}

void multiply_add_256() {
  int left = rounds;
  asm volatile(
      "vpxor %%xmm0, %%xmm0, %%xmm0\n\tvpxor %%xmm1, %%xmm1, %%xmm1\n\t"
      "1:\n\t" FEDTUNE_TWELVE("y") "dec %0\n\tjnz 1b\n\tvzeroupper"
      : "+r"(left)
      :
      : FEDTUNE_CLOBBERED);
}
#endif

double best_rate(void (*work)(), double operations) {
  double best = 0.0;
  for (int i = 0; i < 20; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, operations / seconds * 1e-9);
  }
  return best;
}

}  // namespace

double fma_peak() {
#if defined(__x86_64__)
  double best = 0.0;
  if (cpu_features().avx2_fma) best = best_rate(multiply_add_256, 2.0 * 8 * accumulators * rounds);
  if (cpu_features().avx512) best = std::max(best, best_rate(multiply_add_512, 2.0 * 16 * accumulators * rounds));
  return best;
#else
  return 0.0;
#endif
}

}  // namespace fedtune::bench
