#include "copy_peak.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

namespace fedtune::bench {

double copy_peak() {
  constexpr std::size_t size = std::size_t{256} << 20;
  const std::vector<char> from(size, 1);
  std::vector<char> to(size);
  double best = 0.0;
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    std::memcpy(to.data(), from.data(), size);
    asm volatile("" : : "r"(to.data()) : "memory");
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, 2.0 * static_cast<double>(size) / seconds * 1e-9);
  }
  return best;
}

}  // namespace fedtune::bench
