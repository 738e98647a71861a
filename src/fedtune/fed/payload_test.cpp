#include "fedtune/fed/payload.h"

#include <gtest/gtest.h>

#include "fedtune/aggregate/test_tensors.h"
#include "fedtune/base/error.h"

namespace fedtune::fed {
namespace {

NamedTensors some_tensors() {
  return test_tensors({{"a", {3}, {1, 2, 3}}, {"b", {1, 2}, {4, 5}}, {"none", {0}, {}}, {"c", {1}, {6}}});
}

std::shared_ptr<const Bytes> sent(const Payload& payload, std::size_t part) {
  auto arrived = std::make_shared<Bytes>();
  for (std::size_t offset = 0; offset < payload.size(); offset += part) {
    for (const auto piece : payload.pieces(offset, part)) arrived->insert(arrived->end(), piece.begin(), piece.end());
  }
  return arrived;
}

TEST(Payload, GivesTheTensorsBackHoweverItIsCutIntoParts) {
  const Layout layout = layout_of(some_tensors());
  const Payload payload(some_tensors());
  EXPECT_EQ(payload.size(), payload_size(layout));
  EXPECT_EQ(payload.size(), 28u);  // b starts at 16, after 12 bytes of a
  for (std::size_t part = 1; part <= payload.size() + 1; ++part) {
    const auto arrived = sent(payload, part);
    ASSERT_EQ(arrived->size(), payload.size()) << part;
    const NamedTensors back = tensors_in(layout, arrived);
    ASSERT_EQ(layout_of(back), layout);
    EXPECT_EQ(back.find("a")->f32()[2], 3.0f) << part;
    EXPECT_EQ(back.find("b")->f32()[1], 5.0f) << part;
    EXPECT_EQ(back.find("c")->f32()[0], 6.0f) << part;
  }
}

TEST(Payload, HasNoPiecesBehindItsEnd) {
  const Payload payload(some_tensors());
  EXPECT_TRUE(payload.pieces(payload.size(), 10).empty());
  EXPECT_TRUE(payload.pieces(payload.size() + 10, 10).empty());
  EXPECT_TRUE(Payload(NamedTensors{}).pieces(0, 1).empty());
}

TEST(Payload, OfAnotherSizeIsRefused) {
  const Layout layout{{"a", DType::f32, {3}}};
  EXPECT_THROW(tensors_in(layout, std::make_shared<Bytes>(11)), Error);
  EXPECT_THROW(tensors_in(layout, std::make_shared<Bytes>(13)), Error);
}

TEST(Payload, HasNoSizeForANegativeOrOverflowingShape) {
  EXPECT_THROW(payload_size({{"a", DType::f32, {-1}}}), Error);
  EXPECT_THROW(payload_size({{"a", DType::f32, {1LL << 40, 1LL << 40}}}), Error);
}

}  // namespace
}  // namespace fedtune::fed
