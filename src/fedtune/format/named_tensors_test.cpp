#include "fedtune/format/named_tensors.h"

#include <array>
#include <limits>

#include <gtest/gtest.h>

#include "fedtune/base/error.h"

namespace fedtune {
namespace {

TEST(DTypeName, IsReadBackForEveryType) {
  for (int i = 0; i <= static_cast<int>(DType::boolean); ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(dtype_from(dtype_name(dtype)), dtype);
  }
  EXPECT_EQ(dtype_from("F8_E4M3"), std::nullopt);
  EXPECT_EQ(item_size(DType::bf16), 2u);
  EXPECT_EQ(dtype_name(DType::boolean), "BOOL");
}

TEST(ByteSize, IsTheProductOfShapeAndItem) {
  EXPECT_EQ(byte_size(DType::f32, std::array<std::int64_t, 2>{3, 5}), 60u);
  EXPECT_EQ(byte_size(DType::i64, std::array<std::int64_t, 0>{}), 8u);
  EXPECT_EQ(byte_size(DType::f32, std::array<std::int64_t, 2>{0, 5}), 0u);
}

TEST(ByteSize, NoticesOverflowAndNegativeExtents) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(byte_size(DType::f32, std::array<std::int64_t, 2>{most, most}), std::nullopt);
  EXPECT_EQ(byte_size(DType::f32, std::array<std::int64_t, 3>{most, most, 0}), std::nullopt);
  EXPECT_EQ(byte_size(DType::f32, std::array<std::int64_t, 1>{-1}), std::nullopt);
}

class TensorViewTest : public testing::Test {
 protected:
  TensorView view(std::size_t offset) const {
    const std::span<const std::byte> bytes = std::as_bytes(std::span(values));
    return {.name = "t", .dtype = DType::f32, .shape = {2}, .bytes = bytes.subspan(offset, 8)};
  }
  std::array<float, 3> values{1.0f, 2.0f, 3.0f};
};

TEST_F(TensorViewTest, ShowsItsValues) {
  EXPECT_EQ(view(4).f32()[1], 3.0f);
  EXPECT_EQ(view(0).count(), 2);
}

TEST_F(TensorViewTest, ShowsNoFloatsOfAnotherType) {
  TensorView tensor = view(0);
  tensor.dtype = DType::i32;
  EXPECT_THROW(tensor.f32(), Error);
}

TEST_F(TensorViewTest, ShowsNoFloatsWhereTheBytesAreUnaligned) {
  EXPECT_THROW(view(1).f32(), Error);
}

TEST_F(TensorViewTest, IsFoundByName) {
  const NamedTensors tensors{.tensors = {view(0)}, .owner = nullptr};
  EXPECT_EQ(tensors.find("t"), &tensors.tensors[0]);
  EXPECT_EQ(tensors.find("u"), nullptr);
  EXPECT_EQ(tensors.total_bytes(), 8u);
  EXPECT_EQ(layout_of(tensors), (Layout{{.name = "t", .dtype = DType::f32, .shape = {2}}}));
}

TEST(ShapeText, ReadsAsAList) {
  EXPECT_EQ(shape_text(std::array<std::int64_t, 2>{768, 8}), "[768, 8]");
  EXPECT_EQ(shape_text({}), "[]");
}

}  // namespace
}  // namespace fedtune
