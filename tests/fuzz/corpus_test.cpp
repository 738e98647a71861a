// Each target reads its corpus: what was found once stays fixed. A finding ends the program.
#include <algorithm>
#include <filesystem>
#include <vector>

#include <gtest/gtest.h>

#include "fedtune/base/file.h"

#define FEDTUNE_TARGET(name) int fuzz_##name(const std::uint8_t* data, std::size_t size);
#include "fuzz_targets.inc"
#undef FEDTUNE_TARGET

namespace fedtune::fuzz {
namespace {

struct Target {
  const char* name;
  int (*read)(const std::uint8_t* data, std::size_t size);
};
const std::vector<Target> targets{
#define FEDTUNE_TARGET(name) {#name, fuzz_##name},
#include "fuzz_targets.inc"
};

class FuzzCorpus : public ::testing::TestWithParam<Target> {};

TEST_P(FuzzCorpus, HoldsNoFinding) {
  const std::filesystem::path folder =
      std::filesystem::path(FEDTUNE_SOURCE_DIR) / "tests" / "fuzz" / "corpus" / GetParam().name;
  std::size_t inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().string());
    const std::string input = read_file(entry.path());
    // Each beginning of it too, in steps: files are cut short, and messages.
    for (std::size_t size = input.size();; size -= std::max<std::size_t>(1, input.size() / 16)) {
      const std::vector<std::uint8_t> bytes(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(GetParam().read(bytes.data(), bytes.size()), 0);
      if (size <= input.size() / 16) break;
    }
    ++inputs;
  }
  EXPECT_GT(inputs, 0u) << folder;
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzCorpus, ::testing::ValuesIn(targets),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace fedtune::fuzz
