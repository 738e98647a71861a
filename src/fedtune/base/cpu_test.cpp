#include "fedtune/base/cpu.h"

#include <gtest/gtest.h>

#include "fedtune/base/file.h"

namespace fedtune {
namespace {

bool kernel_lists(const std::string& flag) {
  return (read_file("/proc/cpuinfo") + " ").find(" " + flag + " ") != std::string::npos;
}

TEST(CpuFeatures, AgreeWithWhatTheKernelLists) {
  const CpuFeatures& found = cpu_features();
  EXPECT_EQ(found.avx2_fma, kernel_lists("avx2") && kernel_lists("fma"));
  EXPECT_EQ(found.avx512, kernel_lists("avx512f") && kernel_lists("avx512bw") && kernel_lists("avx512vl") &&
                              kernel_lists("avx512dq"));
  EXPECT_EQ(found.avx512_bf16, kernel_lists("avx512_bf16"));
  EXPECT_EQ(found.avx512_fp16, kernel_lists("avx512_fp16"));
  EXPECT_EQ(found.amd, read_file("/proc/cpuinfo").find("AuthenticAMD") != std::string::npos);
}

TEST(CpuModelName, IsWhatTheKernelSays) {
  const std::string name = cpu_model_name();
  EXPECT_FALSE(name.empty());
  EXPECT_EQ(read_file("/proc/cpuinfo").find(name) != std::string::npos, name != "unknown");
}

TEST(DescribeCpu, ListsFeaturesOrSaysBaseline) {
  EXPECT_EQ(describe(CpuFeatures{}), "baseline");
  EXPECT_EQ(describe({.avx2_fma = true, .avx512 = true}), "avx2 avx512");
}

}  // namespace
}  // namespace fedtune
