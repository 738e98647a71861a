#include "fedtune/format/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"

namespace fedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string npy(const std::string& header, std::size_t values, char version = 1) {
  std::string text = "\x93NUMPY";
  text += {version, '\0', static_cast<char>(header.size()), '\0'};
  if (version > 1) text += std::string(2, '\0');
  return text + header + std::string(values, '\0');
}

std::string refusal(const std::string& text) {
  try {
    npy_view(bytes_of(text));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "accepted";
}

TEST(Npy, GivesAnArrayBack) {
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{2, 3}, {6}, {1, 6, 1}}) {
    const TensorView tensor{.shape = shape, .bytes = std::as_bytes(std::span(values))};
    const std::string text = npy_from(tensor);
    const TensorView back = npy_view(bytes_of(text));
    EXPECT_EQ(back.shape, shape);
    EXPECT_EQ(back.dtype, DType::f32);
    EXPECT_TRUE(std::ranges::equal(back.bytes, tensor.bytes));
    EXPECT_EQ((text.size() - 24) % 64, 0u);
  }
}

// What numpy.save writes for a float32 array of shape (3,), up to its values.
TEST(Npy, IsWrittenAsNumPyDoes) {
  const std::vector<float> values(3);
  const std::string text = npy_from({.shape = {3}, .bytes = std::as_bytes(std::span(values))});
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
  EXPECT_EQ(text.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_EQ(text.substr(10, 118), header + std::string(117 - header.size(), ' ') + "\n");
  EXPECT_EQ(text.size(), 128u + 12u);
}

TEST(Npy, OfLaterVersionsAndOtherOrdersOfKeysIsRead) {
  EXPECT_THAT(npy_view(bytes_of(npy("{'shape': (), 'descr': '<f8', 'fortran_order': False}\n", 8, 2))).shape,
              ElementsAre());
  EXPECT_THAT(npy_view(bytes_of(npy("{\"shape\":(2,1),\"fortran_order\":False,\"descr\":'|u1'}", 2, 3))).shape,
              ElementsAre(2, 1));
}

TEST(Npy, ThatIsNoneIsRefused) {
  EXPECT_THAT(refusal(""), HasSubstr("do not begin"));
  EXPECT_THAT(refusal(std::string(20, 'x')), HasSubstr("do not begin"));
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  EXPECT_THAT(refusal(npy(good, 8, 4)), HasSubstr("version 4"));
  EXPECT_THAT(refusal(npy(good, 7)), HasSubstr("7 bytes of values"));
  EXPECT_THAT(refusal(npy(good, 9)), HasSubstr("9 bytes of values"));
  EXPECT_THAT(refusal(npy(good, 0).substr(0, 30)), HasSubstr("a header of"));
  EXPECT_THAT(refusal(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (2,)}", 8)), HasSubstr("'>f4'"));
  EXPECT_THAT(refusal(npy("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", 8)), HasSubstr("'|O'"));
  EXPECT_THAT(refusal(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", 8)),
              HasSubstr("structures"));
  EXPECT_THAT(refusal(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1)}", 8)), HasSubstr("Fortran"));
  EXPECT_THAT(refusal(npy("{'descr': '<f4', 'shape': (2,)}", 8)), HasSubstr("a key is missing"));
  EXPECT_THAT(refusal(npy("{'descr': '<f4', 'descr': '<f4', 'shape': (2,)}", 8)), HasSubstr("repeated"));
  EXPECT_THAT(refusal(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", 8)), HasSubstr("extent"));
  EXPECT_THAT(refusal(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", 8)), HasSubstr("follows"));
  EXPECT_THAT(refusal(npy("{'descr': '<f4", 8)), HasSubstr("no end"));
  EXPECT_THAT(refusal(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999)}", 8)),
              HasSubstr("not an array"));
}

}  // namespace
}  // namespace fedtune
