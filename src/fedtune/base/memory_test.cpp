#include "fedtune/base/memory.h"

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace fedtune
