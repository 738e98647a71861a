#include "fedtune/format/json_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/temporary_folder.h"

namespace fedtune {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

template <typename Body>
std::string input_error_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "expected an error";
  return "";
}

std::string parse_error_of(const std::string& text) {
  return input_error_of([&] { parse_json(text, "config.json"); });
}

template <typename T>
std::string required_error_of(const char* text, const char* key) {
  return input_error_of([&] { required<T>(json::parse(text), key, "config.json"); });
}

TEST(ParseJson, ReadsWhatIsValid) {
  EXPECT_EQ(parse_json(R"({"a": {"b": [1, {"a": 2}]}, "b": "\u00e9"})", "x")["a"]["b"][1]["a"], 2);
}

TEST(ParseJson, TheSameKeyInDifferentObjectsIsFine) {
  EXPECT_EQ(parse_json(R"([{"a": 1}, {"a": 2}])", "x").size(), 2u);
}

TEST(ParseJson, AKeyTwiceInOneObjectIsRefused) {
  EXPECT_THAT(parse_error_of(R"({"a": 1, "b": {"c": 1, "c": 2}})"),
              AllOf(HasSubstr("config.json"), HasSubstr("'c' occurs twice")));
}

TEST(ParseJson, BrokenSyntaxNamesLineAndColumn) {
  EXPECT_THAT(parse_error_of("{\n  \"a\": ,\n}"), AllOf(HasSubstr("not valid JSON"), HasSubstr("line 2, column 8")));
}

TEST(ParseJson, AnArrayOutOfProportionIsRefusedBeforeItFillsTheMemory) {
  constexpr std::size_t ones = 3'000'000;  // 6 MB of text, 48 MB of values, twice that while they grow
  std::string text = "{\"a\": [1";
  for (std::size_t i = 1; i < ones; ++i) text += ",1";
  text += "]}";
  EXPECT_THAT(parse_error_of(text), HasSubstr("more than 2472"));
}

// Quadratic, it would take minutes.
TEST(ParseJson, TakesAsLongAsTheTextIs) {
  constexpr std::size_t million = 1'000'000;
  std::string objects = "[[]";
  for (std::size_t i = 1; i < million; ++i) objects += ",{}";
  EXPECT_EQ(parse_json(objects + "]", "x").size(), million);
}

TEST(ParseJson, ATruncatedTextIsRefused) {
  EXPECT_THAT(parse_error_of(R"({"a": [1, 2)"), HasSubstr("not valid JSON"));
}

TEST(ParseJson, AnEmptyTextIsRefused) {
  EXPECT_THAT(parse_error_of(""), HasSubstr("not valid JSON"));
}

TEST(ParseJson, TextBehindTheEndIsRefused) {
  EXPECT_THAT(parse_error_of("{} {}"), HasSubstr("not valid JSON"));
}

TEST(ParseJson, TextThatIsNotUtf8IsRefused) {
  EXPECT_THAT(parse_error_of("\"\xff\""), HasSubstr("not valid JSON"));
}

TEST(ParseJson, DeepNestingIsRefused) {
  EXPECT_THAT(parse_error_of(std::string(1'000'000, '[')), HasSubstr("nested more than 64 levels"));
  EXPECT_THAT(parse_error_of(std::string(65, '[') + std::string(65, ']')), HasSubstr("nested more than 64 levels"));
  EXPECT_TRUE(parse_json(std::string(64, '[') + std::string(64, ']'), "x").is_array());
}

TEST(LoadJson, NamesTheFileInErrors) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "broken.json", "{");
  EXPECT_THAT(input_error_of([&] { load_json(folder / "broken.json"); }), HasSubstr("broken.json"));
  EXPECT_THAT(input_error_of([&] { load_json(folder / "none.json"); }), HasSubstr("No such file"));
}

TEST(RequiredKey, ReadsEachType) {
  const json object = json::parse(
      R"({"b": true, "i": -3, "u": 18446744073709551615, "d": 2.5, "s": "x", "v": [1, 2], "l": ["p", "q"]})");
  EXPECT_TRUE(required<bool>(object, "b", "x"));
  EXPECT_EQ(required<std::int64_t>(object, "i", "x"), -3);
  EXPECT_EQ(required<std::uint64_t>(object, "u", "x"), 18446744073709551615u);
  EXPECT_EQ(required<double>(object, "d", "x"), 2.5);
  EXPECT_EQ(required<double>(object, "i", "x"), -3.0);
  EXPECT_EQ(required<std::string>(object, "s", "x"), "x");
  EXPECT_THAT(required<std::vector<int>>(object, "v", "x"), ElementsAre(1, 2));
  EXPECT_THAT(required<std::vector<std::string>>(object, "l", "x"), ElementsAre("p", "q"));
  EXPECT_EQ(required<json>(object, "v", "x").size(), 2u);
}

TEST(RequiredKey, AMissingOneNamesFileKeyAndTheNearest) {
  EXPECT_THAT(required_error_of<std::int64_t>(R"({"hidden_sise": 4})", "hidden_size"),
              AllOf(HasSubstr("config.json"), HasSubstr("'hidden_size' is missing"), HasSubstr("'hidden_sise'")));
}

TEST(RequiredKey, NullIsNotAValue) {
  EXPECT_THAT(required_error_of<std::int64_t>(R"({"a": null})", "a"), HasSubstr("'a' is null"));
}

TEST(RequiredKey, AnotherTypeNamesFoundAndExpected) {
  EXPECT_THAT(required_error_of<std::int64_t>(R"({"a": "12"})", "a"),
              AllOf(HasSubstr("found string \"12\""), HasSubstr("expected an integer")));
  EXPECT_THAT(required_error_of<int>(R"({"a": 1.5})", "a"), HasSubstr("found number 1.5"));
  EXPECT_THAT(required_error_of<bool>(R"({"a": 1})", "a"), HasSubstr("expected true or false"));
  EXPECT_THAT(required_error_of<std::string>(R"({"a": []})", "a"), HasSubstr("expected a string"));
  EXPECT_THAT(required_error_of<std::vector<int>>(R"({"a": [1, "b"]})", "a"), HasSubstr("expected a list"));
}

TEST(RequiredKey, AnIntegerOutOfRangeIsRefused) {
  EXPECT_THAT(required_error_of<int>(R"({"a": 3000000000})", "a"), HasSubstr("expected an integer from"));
  EXPECT_THAT(required_error_of<std::int64_t>(R"({"a": 18446744073709551615})", "a"), HasSubstr("expected an integer"));
  EXPECT_THAT(required_error_of<std::uint64_t>(R"({"a": -1})", "a"), HasSubstr("from 0 to"));
}

TEST(RequiredKey, ALongValueIsCutInTheMessage) {
  const std::string text = R"({"a": ")" + std::string(1000, 'x') + R"("})";
  EXPECT_LT(required_error_of<int>(text.c_str(), "a").size(), 250u);
}

TEST(RequiredKey, NeedsAnObject) {
  EXPECT_THAT(required_error_of<int>("[1]", "a"), HasSubstr("found array [1], expected an object"));
}

TEST(OptionalKey, TakesTheDefaultWhereMissingOrNull) {
  const json object = json::parse(R"({"a": null, "b": 5})");
  EXPECT_EQ(optional_or<int>(object, "a", 1, "x"), 1);
  EXPECT_EQ(optional_or<int>(object, "none", 2, "x"), 2);
  EXPECT_EQ(optional_or<int>(object, "b", 3, "x"), 5);
}

TEST(OptionalKey, AnotherTypeIsStillRefused) {
  EXPECT_THAT(input_error_of([] { optional_or<int>(json::parse(R"({"a": "x"})"), "a", 1, "c.json"); }),
              HasSubstr("c.json: key 'a': found string"));
}

}  // namespace
}  // namespace fedtune
