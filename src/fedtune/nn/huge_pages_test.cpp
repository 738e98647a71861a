#include "fedtune/nn/huge_pages.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include "fedtune/base/testing_memory.h"

namespace fedtune::nn {
namespace {

constexpr std::int64_t height = 1'500, width = 768;  // 4.6 MB

std::uintptr_t address_of(const at::Tensor& x) {
  return reinterpret_cast<std::uintptr_t>(x.const_data_ptr());
}

std::string flags_of(std::uintptr_t address) {
  return field_of_mapping(address, "VmFlags:");
}

bool gives_huge_pages() {
  std::string setting;
  std::getline(std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled"), setting);
  return setting.find("[madvise]") != std::string::npos || setting.find("[always]") != std::string::npos;
}

TEST(HugePages, HoldZerosAndAreAskedForFromLinux) {
  const at::Tensor table = huge_zeros_like(huge_empty({height, width}, at::kFloat).fill_(1.0f));
  EXPECT_EQ(table.sizes(), (at::IntArrayRef{height, width}));
  EXPECT_EQ(table.count_nonzero().item<std::int64_t>(), 0);
  if (!gives_huge_pages()) GTEST_SKIP() << "this Linux gives no huge pages";
  EXPECT_EQ(address_of(table) % (2 << 20), 0u);
  EXPECT_NE(flags_of(address_of(table)).find(" hg "), std::string::npos);
}

TEST(HugePages, OfZerosTakeNoMemoryUntilTheyAreWritten) {
  if (!gives_huge_pages()) GTEST_SKIP() << "this Linux gives no huge pages";
  const at::Tensor like = at::empty({height, width});
  const at::Tensor written = huge_zeros_like(like).fill_(1.0f), untouched = huge_zeros_like(like);
  constexpr std::size_t page = 4096;
  const auto in_memory = [](const at::Tensor& x) {
    std::vector<unsigned char> pages((x.nbytes() + page - 1) / page);
    EXPECT_EQ(::mincore(x.mutable_data_ptr(), x.nbytes(), pages.data()), 0);
    return std::ranges::count_if(pages, [](unsigned char state) { return (state & 1U) != 0; });
  };
  EXPECT_EQ(in_memory(written), static_cast<std::ptrdiff_t>((written.nbytes() + page - 1) / page));
  EXPECT_EQ(in_memory(untouched), 0);
  EXPECT_EQ(untouched.count_nonzero().item<std::int64_t>(), 0);
}

TEST(HugePages, AreTheSystemsAgainWithTheLastTensor) {
  if (!gives_huge_pages()) GTEST_SKIP() << "this Linux gives no huge pages";
  at::Tensor last_row = huge_empty({height, width}, at::kFloat)[height - 1];
  const std::uintptr_t address = address_of(last_row);
  EXPECT_FALSE(flags_of(address).empty());
  last_row.reset();
  EXPECT_TRUE(flags_of(address).empty());
}

TEST(HugePages, CopyWhatIsGivenWhateverItsSizeAndLayout) {
  const at::Tensor large = at::arange(height * width, at::kFloat).view({height, width});
  for (const at::Tensor& x : {large, large.t(), large.slice(0, 0, 2), large.to(at::kBFloat16)}) {
    const at::Tensor copy = huge_clone(x);
    EXPECT_TRUE(at::equal(copy, x));
    EXPECT_EQ(copy.scalar_type(), x.scalar_type());
    EXPECT_NE(address_of(copy), address_of(x));
    const at::Tensor zeros = at::zeros(x.sizes(), x.scalar_type());
    EXPECT_EQ(huge_empty_like(x).sizes(), x.sizes());
    EXPECT_TRUE(at::equal(huge_zeros_like(x), zeros));
  }
}

}  // namespace
}  // namespace fedtune::nn
