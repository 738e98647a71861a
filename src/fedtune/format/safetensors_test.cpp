#include "fedtune/format/safetensors.h"

#include <array>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/format/testing.h"

namespace fedtune {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Safetensors parse(const std::shared_ptr<const std::string>& bytes) {
  return parse_safetensors({.bytes = std::as_bytes(std::span(*bytes)), .owner = bytes, .name = "m.safetensors"});
}
Safetensors parse(const std::string& bytes) {
  return parse(std::make_shared<const std::string>(bytes));
}

std::string error_of(const std::string& bytes) {
  try {
    parse(bytes);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
    EXPECT_THAT(error.what(), HasSubstr("m.safetensors"));
    return error.what();
  }
  ADD_FAILURE() << "expected an error";
  return "";
}
std::string header_error_of(const std::string& header, std::size_t data_bytes = 0) {
  return error_of(file_of(header, data_bytes));
}

constexpr const char* one_tensor = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";

TEST(ParseSafetensors, ReadsNamesTypesShapesAndBytes) {
  const std::string header = R"({"__metadata__":{"format":"pt"},"b":{"dtype":"I64","shape":[],"data_offsets":[8,16]},)"
                             R"("a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}  )";
  const Safetensors file = parse(file_of(header, 16));
  EXPECT_EQ(layout_of(file.tensors), (Layout{{"a", DType::f32, {2, 1}}, {"b", DType::i64, {}}}));
  EXPECT_EQ(file.tensors.tensors[1].bytes.size(), 8u);
  EXPECT_EQ(file.metadata.at("format"), "pt");
}

TEST(ParseSafetensors, TakesEmptyTensorsAndEmptyFiles) {
  EXPECT_TRUE(parse(file_of("{}", 0)).tensors.tensors.empty());
  const Safetensors file = parse(file_of(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},)"
                                         R"("e":{"dtype":"F32","shape":[0,3],"data_offsets":[16,16]}})",
                                         16));
  EXPECT_EQ(file.tensors.find("e")->bytes.size(), 0u);
}

TEST(ParseSafetensors, CopiesTensorsThatLieUnaligned) {
  const std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                             R"("b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})";
  std::string bytes = file_of(header, 5);
  const float value = 1.5f;
  std::memcpy(bytes.data() + bytes.size() - 4, &value, 4);
  EXPECT_EQ(parse(bytes).tensors.find("b")->f32()[0], 1.5f);
}

TEST(ParseSafetensors, TheTensorsKeepTheirBytesAlive) {
  NamedTensors tensors;
  std::weak_ptr<const std::string> watched;
  {
    const auto bytes = std::make_shared<const std::string>(file_of(one_tensor, 8));
    watched = bytes;
    tensors = parse(bytes).tensors;
  }
  EXPECT_FALSE(watched.expired());
  tensors = {};
  EXPECT_TRUE(watched.expired());
}

TEST(InvalidSafetensors, ShorterThanTheLength) {
  EXPECT_THAT(error_of("abc"), HasSubstr("too short"));
}

TEST(InvalidSafetensors, HeaderLongerThanTheFile) {
  EXPECT_THAT(error_of(with_length(50, "{}")), AllOf(HasSubstr("50"), HasSubstr("truncated")));
}

TEST(InvalidSafetensors, HeaderLongerThanTheFormatAllows) {
  EXPECT_THAT(error_of(with_length(100'000'001, "{}")), HasSubstr("is it a safetensors file"));
  EXPECT_THAT(error_of(with_length(~std::uint64_t{0}, "{}")), HasSubstr("is it a safetensors file"));
}

TEST(InvalidSafetensors, HeaderThatBeginsWithAnotherByte) {
  EXPECT_THAT(header_error_of(" {}"), HasSubstr("expected to begin with '{'"));
  EXPECT_THAT(header_error_of(""), HasSubstr("expected to begin with '{'"));
}

TEST(InvalidSafetensors, HeaderThatIsNotJson) {
  EXPECT_THAT(header_error_of(R"({"a":)"), HasSubstr("not valid JSON"));
  EXPECT_THAT(header_error_of("{}x"), HasSubstr("not valid JSON"));
  EXPECT_THAT(header_error_of("{\"\xff\":1}"), HasSubstr("not valid JSON"));
}

TEST(InvalidSafetensors, ANameTwice) {
  EXPECT_THAT(header_error_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                              R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                              2),
              HasSubstr("'a' occurs twice"));
}

TEST(InvalidSafetensors, AFieldTwice) {
  EXPECT_THAT(header_error_of(R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1),
              HasSubstr("key 'dtype' occurs twice"));
}

TEST(InvalidSafetensors, AFieldMissing) {
  EXPECT_THAT(header_error_of(R"({"a":{"shape":[1],"data_offsets":[0,1]}})", 1), HasSubstr("'dtype' is missing"));
  EXPECT_THAT(header_error_of(R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1), HasSubstr("'shape' is missing"));
  EXPECT_THAT(header_error_of(R"({"a":{"dtype":"U8","shape":[1]}})", 1), HasSubstr("'data_offsets' is missing"));
}

TEST(InvalidSafetensors, AFieldUnknown) {
  EXPECT_THAT(header_error_of(R"({"a":{"dtype":"U8","size":[1]}})"), HasSubstr("unexpected key 'size'"));
}

TEST(InvalidSafetensors, ATypeUnknown) {
  EXPECT_THAT(header_error_of(R"({"a":{"dtype":"F8_E5M2","shape":[1],"data_offsets":[0,1]}})", 1),
              AllOf(HasSubstr("tensor 'a'"), HasSubstr("dtype 'F8_E5M2' is not supported")));
}

TEST(InvalidSafetensors, ATensorThatIsNoObject) {
  EXPECT_THAT(header_error_of(R"({"a":1})"), HasSubstr("found a number, expected an object"));
  EXPECT_THAT(header_error_of(R"({"a":[[1]]})"), HasSubstr("found a list, expected an object"));
  EXPECT_THAT(header_error_of(R"({"a":null})"), HasSubstr("found null"));
}

TEST(InvalidSafetensors, AShapeThatIsNoListOfSizes) {
  const auto shape = [](const std::string& text) {
    return header_error_of(R"({"a":{"dtype":"U8","shape":)" + text + R"(,"data_offsets":[0,1]}})", 1);
  };
  EXPECT_THAT(shape("[-1]"), HasSubstr("found the number -1, expected non-negative integers"));
  EXPECT_THAT(shape("[1.0]"), HasSubstr("found the number 1.0"));
  EXPECT_THAT(shape("[[1]]"), HasSubstr("found a list"));
  EXPECT_THAT(shape("[{\"x\":1}]"), HasSubstr("found an object"));
  EXPECT_THAT(shape("3"), HasSubstr("found a number in place of a list"));
  EXPECT_THAT(shape("[18446744073709551615]"), HasSubstr("too large"));
  EXPECT_THAT(shape("[99999999999999999999999]"), HasSubstr("found the number"));
  EXPECT_THAT(shape("[1,1,1,1,1,1,1,1,1]"), HasSubstr("more than 8 dimensions"));
}

TEST(InvalidSafetensors, AShapeWhoseProductOverflows) {
  EXPECT_THAT(header_error_of(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})"),
              HasSubstr("shape [4294967296, 4294967296] is too large"));
}

TEST(InvalidSafetensors, OffsetsThatAreNotTwoNumbers) {
  const auto offsets = [](const std::string& text) {
    return header_error_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":)" + text + "}}", 1);
  };
  EXPECT_THAT(offsets("[0]"), HasSubstr("data_offsets has 1 numbers, expected 2"));
  EXPECT_THAT(offsets("[0,1,2]"), HasSubstr("data_offsets has 3 numbers, expected 2"));
  EXPECT_THAT(offsets("[-1,0]"), HasSubstr("expected two non-negative integers"));
  EXPECT_THAT(offsets("\"0,1\""), HasSubstr("found a string"));
}

TEST(InvalidSafetensors, OffsetsThatRunBackwards) {
  EXPECT_THAT(header_error_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})", 1),
              HasSubstr("its bytes are [1, 0)"));
}

TEST(InvalidSafetensors, AGapBetweenTensors) {
  EXPECT_THAT(header_error_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                              R"("b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
                              3),
              AllOf(HasSubstr("tensor 'b'"), HasSubstr("expected to begin at 1")));
}

TEST(InvalidSafetensors, TensorsThatOverlap) {
  EXPECT_THAT(header_error_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                              R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                              3),
              HasSubstr("expected to begin at 2"));
}

TEST(InvalidSafetensors, TensorsThatEndBeforeTheData) {
  EXPECT_THAT(header_error_of(one_tensor, 9), AllOf(HasSubstr("end at byte 8"), HasSubstr("which has 9")));
}

TEST(InvalidSafetensors, DataThatEndsBeforeTheTensors) {
  EXPECT_THAT(header_error_of(one_tensor, 5), HasSubstr("truncated"));
}

TEST(InvalidSafetensors, BytesThatDoNotMatchTheShape) {
  EXPECT_THAT(header_error_of(R"({"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8),
              HasSubstr("8 bytes, expected 12 for F32 [3]"));
}

TEST(InvalidSafetensors, MetadataThatIsNotText) {
  EXPECT_THAT(header_error_of(R"({"__metadata__":{"a":1}})"), HasSubstr("metadata 'a': found a number"));
  EXPECT_THAT(header_error_of(R"({"__metadata__":{"a":{"b":"c"}}})"), HasSubstr("metadata 'a': found an object"));
  EXPECT_THAT(header_error_of(R"({"__metadata__":{"a":"x","a":"y"}})"), HasSubstr("'a' occurs twice"));
  EXPECT_THAT(header_error_of(R"({"__metadata__":{},"__metadata__":{}})"), HasSubstr("'__metadata__' occurs twice"));
}

TEST(InvalidSafetensors, TooManyTensors) {
  std::string header = "{";
  for (int i = 0; i <= 100'000; ++i) {
    header += (i > 0 ? ",\"" : "\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  }
  EXPECT_THAT(header_error_of(header + "}"), HasSubstr("more than 100000 tensors"));
}

TEST(InvalidSafetensors, TooMuchMetadata) {
  std::string header = R"({"__metadata__":{)";
  for (int i = 0; i <= 10'000; ++i) header += (i > 0 ? ",\"" : "\"") + std::to_string(i) + R"(":"")";
  EXPECT_THAT(header_error_of(header + "}}"), HasSubstr("more than 10000 metadata entries"));
}

TEST(InvalidSafetensors, ATokenThatIsTooLong) {
  EXPECT_THAT(header_error_of("{\"" + std::string(9 << 20, 'x') + "\":1}"), HasSubstr("longer than"));
  EXPECT_THAT(header_error_of("{\"a\":" + std::string(9 << 20, '1') + "}"), HasSubstr("longer than"));
}

class SafetensorsFileTest : public testing::Test {
 protected:
  NamedTensors tensors() const {
    const auto bytes = std::as_bytes(std::span(values));
    return {.tensors = {{.name = "z", .dtype = DType::f32, .shape = {2}, .bytes = bytes.first(8)},
                        {.name = "a", .dtype = DType::f32, .shape = {1, 1}, .bytes = bytes.last(4)}},
            .owner = nullptr};
  }
  std::array<float, 3> values{1.0f, -2.0f, 0.5f};
  TemporaryFolder folder;
};

TEST_F(SafetensorsFileTest, WhatIsSavedIsLoadedInTheSameOrder) {
  save_safetensors(folder / "m", tensors(), {{"format", "pt"}});
  const Safetensors file = load_safetensors(folder / "m");
  EXPECT_EQ(layout_of(file.tensors), layout_of(tensors()));
  EXPECT_THAT(file.tensors.find("z")->f32(), ElementsAre(1.0f, -2.0f));
  EXPECT_THAT(file.tensors.find("a")->f32(), ElementsAre(0.5f));
  EXPECT_EQ(file.metadata, (Metadata{{"format", "pt"}}));
}

TEST_F(SafetensorsFileTest, TheHeaderIsPaddedWithSpacesToEightBytes) {
  const std::string header = safetensors_header(tensors());
  EXPECT_EQ(header.size() % 8, 0u);
  EXPECT_EQ(header.substr(8), R"({"z":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                              R"("a":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]}}  )");
}

TEST_F(SafetensorsFileTest, TheSameTensorsGiveTheSameBytes) {
  save_safetensors(folder / "one", tensors());
  save_safetensors(folder / "two", tensors());
  EXPECT_EQ(read_file(folder / "one"), read_file(folder / "two"));
}

TEST_F(SafetensorsFileTest, LoadedTensorsViewTheMappedFileAndKeepIt) {
  save_safetensors(folder / "m", tensors());
  const NamedTensors loaded = load_safetensors(folder / "m").tensors;
  std::filesystem::remove(folder / "m");
  EXPECT_EQ(loaded.find("a")->f32()[0], 0.5f);
}

TEST_F(SafetensorsFileTest, ATruncatedFileNamesItself) {
  save_safetensors(folder / "m", tensors());
  std::filesystem::resize_file(folder / "m", std::filesystem::file_size(folder / "m") - 1);
  try {
    load_safetensors(folder / "m");
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr((folder / "m").string()), HasSubstr("truncated")));
  }
}

TEST_F(SafetensorsFileTest, TheSameNameTwiceIsNotWritten) {
  NamedTensors twice = tensors();
  twice.tensors[1].name = "z";
  EXPECT_THROW(safetensors_header(twice), Error);
}

TEST_F(SafetensorsFileTest, BytesThatDoNotMatchTheShapeAreNotWritten) {
  NamedTensors wrong = tensors();
  wrong.tensors[0].shape = {3};
  EXPECT_THROW(safetensors_header(wrong), Error);
}

class FindWeightsTest : public testing::Test {
 protected:
  std::string error() const {
    try {
      find_weights(folder.path());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
    ADD_FAILURE() << "expected an error";
    return "";
  }
  TemporaryFolder folder;
};

TEST_F(FindWeightsTest, PrefersSafetensorsToThePickleBesideIt) {
  write_file_atomically(folder / "model.safetensors", "");
  write_file_atomically(folder / "pytorch_model.bin", "");
  EXPECT_EQ(find_weights(folder.path()), folder / "model.safetensors");
}

TEST_F(FindWeightsTest, RefusesAPickleWithTheReasonAndTheWayToConvert) {
  write_file_atomically(folder / "pytorch_model.bin", "");
  EXPECT_THAT(error(), AllOf(HasSubstr("can run any program"), HasSubstr("safe_serialization=True"),
                             HasSubstr(folder.path().string())));
}

TEST_F(FindWeightsTest, RefusesWeightsInSeveralFiles) {
  write_file_atomically(folder / "model.safetensors.index.json", "{}");
  EXPECT_THAT(error(), HasSubstr("several files"));
}

TEST_F(FindWeightsTest, SaysWhatIsMissing) {
  EXPECT_THAT(error(), HasSubstr("no model.safetensors there"));
}

}  // namespace
}  // namespace fedtune
