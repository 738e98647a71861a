#include "fedtune/aggregate/measures.h"

#include <cmath>
#include <memory>

#include <gtest/gtest.h>

#include "fedtune/aggregate/test_tensors.h"
#include "fedtune/base/scratch_file.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/format/tensor_hash.h"

namespace fedtune::aggregate {
namespace {

TEST(Measures, AreOfAllValuesTogether) {
  const NamedTensors tensors = test_tensors({{"a", {2}, {1, 2}}, {"b", {3, 1}, {2, 0, 4}}});
  const NamedTensors origin = test_tensors({{"a", {2}, {1, 0}}, {"b", {3, 1}, {2, 0, 2}}});
  const Measures measures = measure(tensors, origin);
  EXPECT_EQ(measures.sha256, final_sha256(tensors));
  EXPECT_DOUBLE_EQ(measures.norm, 5.0);
  EXPECT_DOUBLE_EQ(measures.change, std::sqrt(8.0));
}

TEST(Measures, OfNothingChangedIsAChangeOfZero) {
  const NamedTensors tensors = test_tensors({{"a", {3}, {1, -2, 3}}});
  EXPECT_EQ(measure(tensors, tensors).change, 0.0);
}

TEST(Measures, DoNotDependOnThePiecesAndLetThePagesOfAMappedContributionGo) {
  const TemporaryFolder folder;
  std::vector<float> values(200'001);
  double squares = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i % 1000) - 500.0f;
    squares += double{values[i]} * double{values[i]};
  }
  const auto size = static_cast<std::int64_t>(values.size());
  const NamedTensors in_memory = test_tensors({{"a", {size}, values}});
  const NamedTensors zeros = test_tensors({{"a", {size}, std::vector<float>(values.size())}});
  ScratchFile file(folder.path());
  file.append(in_memory.tensors[0].bytes);
  NamedTensors mapped = in_memory;
  const auto map = file.map();
  mapped.tensors[0].bytes = map->bytes();
  mapped.owner = map;
  mapped.mapped = true;

  const Measures here = measure(in_memory, zeros);
  const Measures there = measure(mapped, zeros);
  EXPECT_EQ(here.sha256, final_sha256(in_memory));
  EXPECT_EQ(there.sha256, here.sha256);
  EXPECT_EQ(there.norm, here.norm);
  EXPECT_NEAR(here.norm, std::sqrt(squares), 1e-9 * std::sqrt(squares));
  EXPECT_EQ(here.change, here.norm);
  EXPECT_EQ(final_sha256(mapped), here.sha256) << "the pages are read again";
}

}  // namespace
}  // namespace fedtune::aggregate
