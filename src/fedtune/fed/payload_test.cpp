#include "fedtune/fed/payload.h"

#include <gtest/gtest.h>

#include "fedtune/aggregate/test_tensors.h"
#include "fedtune/base/error.h"

namespace fedtune::fed {
namespace {

TEST(Payload, GivesTheTensorsBack) {
  const NamedTensors tensors = test_tensors({{"a", {3}, {1, 2, 3}}, {"b", {1, 2}, {4, 5}}, {"none", {0}, {}}});
  const Layout layout = layout_of(tensors);
  const auto payload = payload_of(tensors);
  EXPECT_EQ(payload->size(), payload_size(layout));
  EXPECT_EQ(payload->size(), 24u);  // b starts at 16, after 12 bytes of a
  const NamedTensors back = tensors_in(layout, payload);
  ASSERT_EQ(layout_of(back), layout);
  EXPECT_EQ(back.find("b")->f32()[1], 5.0f);
  EXPECT_EQ(back.find("a")->f32()[2], 3.0f);
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
