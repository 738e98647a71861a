#include "fedtune/data/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/testing.h"

namespace fedtune::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Tsv, KeepsFieldsAsTheyStand) {
  const auto rows = parse_tsv("it 's \"fine\" , yes \t1\n\t\n", "x.tsv");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_THAT(rows[0].fields, ElementsAre("it 's \"fine\" , yes ", "1"));
  EXPECT_THAT(rows[1].fields, ElementsAre("", ""));
  EXPECT_EQ(rows[1].line, 2);
}

TEST(Tsv, TakesCrLfAndALastLineWithoutEnd) {
  const auto rows = parse_tsv("a\tb\r\nc\td", "x.tsv");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_THAT(rows[0].fields, ElementsAre("a", "b"));
  EXPECT_THAT(rows[1].fields, ElementsAre("c", "d"));
}

TEST(Tsv, SkipsAByteOrderMarkAndEmptyLinesAtTheEnd) {
  const auto rows = parse_tsv("\xEF\xBB\xBFsentence\tlabel\n\n\r\n", "x.tsv");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_THAT(rows[0].fields, ElementsAre("sentence", "label"));
}

TEST(Tsv, NamesTheLineThatIsNotUtf8) {
  EXPECT_THAT(error_of([] { parse_tsv("a\t1\nb\xff\t0\n", "x.tsv"); }),
              HasSubstr("x.tsv, line 2: byte 0xff is not UTF-8"));
}

TEST(Csv, ReadsQuotedFields) {
  const auto rows = parse_csv("1,\"a, \"\"b\"\"\nc\"\r\n\"\",x\n", "x.csv");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_THAT(rows[0].fields, ElementsAre("1", "a, \"b\"\nc"));
  EXPECT_THAT(rows[1].fields, ElementsAre("", "x"));
  EXPECT_EQ(rows[1].line, 3);  // the quoted field holds a line end
}

TEST(Csv, KeepsBlanksAndEmptyFields) {
  const auto rows = parse_csv(" a , ,\r\nb,,", "x.csv");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_THAT(rows[0].fields, ElementsAre(" a ", " ", ""));
  EXPECT_THAT(rows[1].fields, ElementsAre("b", "", ""));
}

TEST(Csv, AQuoteThatIsNeverClosedNamesWhereItBegan) {
  EXPECT_THAT(error_of([] { parse_csv("a\nb,\"c\nd\ne", "x.csv"); }), HasSubstr("x.csv, line 2: a quoted field"));
}

TEST(Csv, AQuoteInsideABareFieldIsAnError) {
  EXPECT_THAT(error_of([] { parse_csv("a\nb \"c\",1\n", "x.csv"); }), HasSubstr("x.csv, line 2: a quote inside"));
}

TEST(Csv, TextBehindAClosingQuoteIsAnError) {
  EXPECT_THAT(error_of([] { parse_csv("\"a\"b,1\n", "x.csv"); }),
              HasSubstr("x.csv, line 1: text after the closing quote"));
  EXPECT_THAT(error_of([] { parse_csv("\"text\";label\n", "x.csv"); }), HasSubstr("found ';', expected a comma"));
}

TEST(Jsonl, ReadsOneObjectPerLine) {
  const auto rows = parse_jsonl("{\"a\": 1}\r\n{\"b\": \"\\u00e9\"}", "x.jsonl");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].object.at("b"), "\u00e9");
  EXPECT_EQ(rows[1].line, 2);
}

TEST(Jsonl, NamesTheLineThatIsNotJson) {
  EXPECT_THAT(error_of([] { parse_jsonl("{}\n{\"a\":\n", "x.jsonl"); }), HasSubstr("x.jsonl, line 2"));
}

TEST(Jsonl, NamesTheLineThatIsNotAnObject) {
  EXPECT_THAT(error_of([] { parse_jsonl("{}\n[1]\n", "x.jsonl"); }), HasSubstr("x.jsonl, line 2: found array"));
}

TEST(Jsonl, AnEmptyLineInTheMiddleIsAnError) {
  EXPECT_THAT(error_of([] { parse_jsonl("{}\n\n{}\n", "x.jsonl"); }), HasSubstr("x.jsonl, line 2"));
}

}  // namespace
}  // namespace fedtune::data
