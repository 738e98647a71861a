// Inputs meant to harm: damaged at random, or made to cost memory.
#include <algorithm>

#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/random.h"
#include "fedtune/base/testing_allocations.h"
#include "fedtune/format/safetensors.h"
#include "fedtune/format/testing.h"

namespace fedtune {
namespace {

std::string repeated(char c, std::size_t count) {
  std::string text;
  text.resize(count, c);
  return text;
}

// True when it is a valid file; an Error of another kind than input is a failure of the test.
bool parses(const std::string& bytes) {
  try {
    parse_safetensors({.bytes = std::as_bytes(std::span(bytes)), .owner = nullptr, .name = "m"});
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
    return false;
  }
}

TEST(HostileSafetensors, RandomDamageIsRefusedAndNeverCrashes) {
  const std::string valid = file_of(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"I64","shape":[],"data_offsets":[8,16]},)"
      R"("a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"e":{"dtype":"U8","shape":[0],"data_offsets":[16,16]}})",
      16);
  ASSERT_TRUE(parses(valid));
  RandomStream random({.seed = 1});
  constexpr std::string_view grammar = "{}[]:,\"0159-.e\\ntf_";
  int refused = 0;
  constexpr int trials = 20'000;
  for (int trial = 0; trial < trials; ++trial) {
    std::string bytes = valid;
    for (std::uint32_t changes = 1 + random.below(4); changes > 0; --changes) {
      const std::size_t place = random.below(static_cast<std::uint32_t>(bytes.size()));
      switch (random.below(4)) {
        case 0:
          bytes[place] = static_cast<char>(random.below(256));
          break;
        case 1:
          bytes[place] = grammar[random.below(grammar.size())];
          break;
        case 2:
          bytes.erase(place, 1 + random.below(5));
          break;
        default:
          bytes.insert(place, bytes.substr(random.below(static_cast<std::uint32_t>(bytes.size())), random.below(30)));
      }
      if (bytes.empty()) bytes = valid;
    }
    refused += parses(bytes) ? 0 : 1;
  }
  EXPECT_GT(refused, trials / 2);
}

TEST(HostileSafetensors, EveryTruncationIsRefused) {
  const std::string valid = file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
  for (std::size_t size = 0; size < valid.size(); ++size) EXPECT_FALSE(parses(valid.substr(0, size))) << size;
}

class MemoryOfHostileSafetensors : public testing::Test {
 protected:
  // More than the input, at the worst moment of parsing it.
  static void expect_bounded(const std::string& bytes) {
    const AllocationMeter meter;
    parses(bytes);
    EXPECT_LE(meter.most_together(), 2 * bytes.size() + (64u << 20));
  }
};

TEST_F(MemoryOfHostileSafetensors, StaysBoundedForManyTensors) {
  std::string header = "{";
  for (int i = 0; i < 100'000; ++i) {
    header +=
        fmt::format(R"({}"{}":{{"dtype":"U8","shape":[0,1,1,1,1,1,1,1],"data_offsets":[0,0]}})", i > 0 ? "," : "", i);
  }
  expect_bounded(file_of(header + "}", 0));
}

TEST_F(MemoryOfHostileSafetensors, StaysBoundedForMuchMetadata) {
  std::string header = R"({"__metadata__":{)";
  for (int i = 0; i < 10'000; ++i) header += fmt::format(R"({}"{}":"")", i > 0 ? "," : "", i);
  expect_bounded(file_of(header + "}}", 0));
}

TEST_F(MemoryOfHostileSafetensors, StaysBoundedForLongTokens) {
  const std::string token = repeated('x', (8 << 20) - 2);
  expect_bounded(file_of("{\"" + token + "\":1}", 0));
  expect_bounded(file_of(R"({"__metadata__":{"a":")" + token + R"(","b":")" + token + "\"}}", 0));
  expect_bounded(file_of("{\"" + repeated('x', 90'000'000) + "\":1}", 0));
}

TEST_F(MemoryOfHostileSafetensors, StaysBoundedForDeepNestingAndEmptySpace) {
  expect_bounded(file_of("{\"a\":" + repeated('[', 50'000'000), 0));
  expect_bounded(file_of("{" + repeated(' ', 50'000'000) + "}", 0));
}

TEST_F(MemoryOfHostileSafetensors, StaysBoundedWhereEveryTensorIsUnaligned) {
  expect_bounded(file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                         R"("b":{"dtype":"F32","shape":[16777216],"data_offsets":[1,67108865]}})",
                         67'108'865));
}

}  // namespace
}  // namespace fedtune
