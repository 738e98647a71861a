#include "fedtune/format/named_tensors.h"

#include <array>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/scratch_file.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/base/testing_memory.h"

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

// `count` tensors of so many bytes, each 1, in a file.
NamedTensors mapped_ones(std::size_t count, std::size_t size) {
  const TemporaryFolder folder;
  ScratchFile file(folder.path());
  file.append(std::vector<std::byte>(count * size, std::byte{1}));
  const std::shared_ptr<const MappedFile> map = file.map();
  NamedTensors tensors{.owner = map, .mapped = true};
  for (std::size_t i = 0; i < count; ++i) {
    tensors.tensors.push_back({.name = "t",
                               .dtype = DType::u8,
                               .shape = {static_cast<std::int64_t>(size)},
                               .bytes = map->bytes().subspan(i * size, size)});
  }
  return tensors;
}

// Of the file that all of them lie in, kB.
std::int64_t resident(const NamedTensors& tensors) {
  return resident_kb(tensors.tensors.front().bytes.data());
}

TEST(MappedTensors, LetGoOfAllThatWasMappedAlongWithWhatWasRead) {
  constexpr std::size_t count = 100, size = 5000;  // about a page each: 16 and more of them are mapped at once
  const NamedTensors tensors = mapped_ones(count, size);
  std::size_t sum = 0;
  for (const TensorView& tensor : tensors.tensors) {
    for (const std::byte byte : tensor.bytes) sum += static_cast<std::size_t>(byte);
  }
  EXPECT_GT(resident(tensors), 400);
  tensors.release_pages();
  EXPECT_EQ(resident(tensors), 0);
  EXPECT_EQ(sum, count * size);
}

TEST(MappedTensors, ReadOnceAreInMemorySomeMegabytesAtATime) {
  constexpr std::size_t count = 12, size = std::size_t{1} << 20U;
  const NamedTensors tensors = mapped_ones(count, size);
  std::size_t sum = 0;
  std::int64_t most = 0;
  {
    ReadOnce reading(tensors);
    for (const TensorView& tensor : tensors.tensors) {
      for (const std::byte byte : tensor.bytes) sum += static_cast<std::size_t>(byte);
      most = std::max(most, resident(tensors));
      reading.advance(tensor.bytes.size());
    }
  }
  EXPECT_EQ(sum, count * size);
  EXPECT_GT(most, 1000);
  EXPECT_LT(most, 8000);  // 4 MB, and a huge page mapped along with them
  EXPECT_EQ(resident(tensors), 0);
}

TEST(ShapeText, ReadsAsAList) {
  EXPECT_EQ(shape_text(std::array<std::int64_t, 2>{768, 8}), "[768, 8]");
  EXPECT_EQ(shape_text({}), "[]");
}

}  // namespace
}  // namespace fedtune
