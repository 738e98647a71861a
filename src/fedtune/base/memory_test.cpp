#include "fedtune/base/memory.h"

#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

namespace fedtune {
namespace {

TEST(PeakRss, GrowsByWhatIsTouched) {
  constexpr std::int64_t size = 256 << 20;
  const std::int64_t before = peak_rss_bytes();
  std::vector<char> block(static_cast<std::size_t>(size));
  std::memset(block.data(), 1, block.size());
  EXPECT_GT(peak_rss_bytes(), before / 2);
  EXPECT_GE(peak_rss_bytes(), size);
}

// Sanitizers have a malloc of their own.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
std::int64_t resident_bytes() {
  std::int64_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

TEST(Memory, WhatIsFreedBetweenBlocksInUseIsGivenBack) {
  constexpr std::size_t count = 1024, size = 64 << 10;
  std::vector<std::unique_ptr<char[]>> blocks(count);
  for (auto& block : blocks) block = std::make_unique<char[]>(size);  // zeros: every page is touched
  for (std::size_t i = 0; i < count; i += 2) blocks[i].reset();
  const std::int64_t before = resident_bytes();
  give_back_freed_memory();
  EXPECT_LT(resident_bytes(), before - std::int64_t{count * size / 4});
}
#endif

}  // namespace
}  // namespace fedtune
