#include "fedtune/fed/spill.h"

#include <gtest/gtest.h>

#include "fedtune/aggregate/test_tensors.h"
#include "fedtune/base/error.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/fed/payload.h"
#include "fedtune/format/tensor_hash.h"

namespace fedtune::fed {
namespace {

NamedTensors some_tensors(float value) {
  return test_tensors({{"a", {3}, {value, 2, 3}}, {"b", {1, 2}, {4, value}}});  // 24 bytes as a payload
}

std::shared_ptr<Arrival> arrived(Spill& spill, const NamedTensors& tensors) {
  const Payload payload(tensors);
  std::shared_ptr<Arrival> arrival = spill.expect(payload.size());
  for (const auto piece : payload.pieces(0, payload.size())) EXPECT_TRUE(arrival->append(arrival->size(), piece));
  return arrival;
}

class SpillTest : public testing::Test {
 protected:
  TemporaryFolder folder;
  Spill spill{{.folder = folder.path(), .in_memory = 50}};
  const Layout layout = layout_of(some_tensors(0));
};

TEST_F(SpillTest, KeepsTheFirstInMemoryAndTheOthersInFiles) {
  std::vector<NamedTensors> kept;
  for (const float value : {1.0f, 2.0f, 3.0f}) kept.push_back(arrived(spill, some_tensors(value))->tensors(layout));
  EXPECT_FALSE(kept[0].mapped);
  EXPECT_FALSE(kept[1].mapped);
  EXPECT_TRUE(kept[2].mapped);
  for (const float value : {1.0f, 2.0f, 3.0f}) {
    EXPECT_EQ(final_sha256(kept[static_cast<std::size_t>(value) - 1]), final_sha256(some_tensors(value)));
  }
}

TEST_F(SpillTest, UsesTheMemoryAgainWhenWhatItHeldIsGone) {
  for (int round = 0; round < 5; ++round) EXPECT_FALSE(arrived(spill, some_tensors(1))->tensors(layout).mapped);
  for (int round = 0; round < 5; ++round) EXPECT_FALSE(spill.hold(some_tensors(1)).mapped);
}

TEST_F(SpillTest, HoldsTensorsThatAreThereAlready) {
  const NamedTensors one = spill.hold(some_tensors(1)), two = spill.hold(some_tensors(2));
  const NamedTensors three = spill.hold(some_tensors(3));
  EXPECT_FALSE(two.mapped);
  EXPECT_TRUE(three.mapped);
  EXPECT_EQ(final_sha256(three), final_sha256(some_tensors(3)));
}

TEST_F(SpillTest, TakesNoBytesOutOfTurnAndNoneTooMany) {
  for (const std::size_t memory : {0u, 100u}) {
    Spill other({.folder = folder.path(), .in_memory = memory});
    const std::shared_ptr<Arrival> arrival = other.expect(24);
    EXPECT_TRUE(arrival->append(0, Bytes(10)));
    EXPECT_FALSE(arrival->append(0, Bytes(10)));
    EXPECT_FALSE(arrival->append(11, Bytes(1)));
    EXPECT_FALSE(arrival->append(10, Bytes(15)));
    EXPECT_EQ(arrival->size(), 10u);
    EXPECT_THROW(arrival->tensors(layout), Error);
    EXPECT_TRUE(arrival->append(10, Bytes(14)));
    EXPECT_EQ(arrival->tensors(layout).tensors.size(), 2u);
  }
}

TEST_F(SpillTest, SaysWhereNoFileCanBeMade) {
  Spill nowhere({.folder = folder / "none", .in_memory = 0});
  EXPECT_THROW(nowhere.expect(1), Error);
  EXPECT_THROW(nowhere.hold(some_tensors(1)), Error);
}

}  // namespace
}  // namespace fedtune::fed
