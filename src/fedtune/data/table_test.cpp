#include "fedtune/data/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/testing.h"
#include "fedtune/data/testing.h"

namespace fedtune::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Tsv, KeepsFieldsAsTheyStand) {
  const auto rows = all_rows(tsv_rows("it 's \"fine\" , yes \t1\n\t\n", "x.tsv"));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_THAT(rows[0].fields, ElementsAre("it 's \"fine\" , yes ", "1"));
  EXPECT_THAT(rows[1].fields, ElementsAre("", ""));
  EXPECT_EQ(rows[1].line, 2);
}

TEST(Tsv, TakesCrLfAndALastLineWithoutEnd) {
  const auto rows = all_rows(tsv_rows("a\tb\r\nc\td", "x.tsv"));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_THAT(rows[0].fields, ElementsAre("a", "b"));
  EXPECT_THAT(rows[1].fields, ElementsAre("c", "d"));
}

TEST(Tsv, SkipsAByteOrderMarkAndEmptyLinesAtTheEnd) {
  const auto rows = all_rows(tsv_rows("\xEF\xBB\xBFsentence\tlabel\n\n\r\n", "x.tsv"));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_THAT(rows[0].fields, ElementsAre("sentence", "label"));
}

TEST(Tsv, NamesTheLineThatIsNotUtf8) {
  EXPECT_THAT(error_of([] { all_rows(tsv_rows("a\t1\nb\xff\t0\n", "x.tsv")); }),
              HasSubstr("x.tsv, line 2: byte 0xff is not UTF-8"));
}

TEST(Csv, ReadsQuotedFields) {
  const auto rows = all_rows(csv_rows("1,\"a, \"\"b\"\"\nc\"\r\n\"\",x\n", "x.csv"));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_THAT(rows[0].fields, ElementsAre("1", "a, \"b\"\nc"));
  EXPECT_THAT(rows[1].fields, ElementsAre("", "x"));
  EXPECT_EQ(rows[1].line, 3);  // the quoted field holds a line end
}

TEST(Csv, KeepsBlanksAndEmptyFields) {
  const auto rows = all_rows(csv_rows(" a , ,\r\nb,,", "x.csv"));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_THAT(rows[0].fields, ElementsAre(" a ", " ", ""));
  EXPECT_THAT(rows[1].fields, ElementsAre("b", "", ""));
}

TEST(Csv, AQuoteThatIsNeverClosedNamesWhereItBegan) {
  EXPECT_THAT(error_of([] { all_rows(csv_rows("a\nb,\"c\nd\ne", "x.csv")); }),
              HasSubstr("x.csv, line 2: a quoted field"));
}

TEST(Csv, AQuoteInsideABareFieldIsAnError) {
  EXPECT_THAT(error_of([] { all_rows(csv_rows("a\nb \"c\",1\n", "x.csv")); }),
              HasSubstr("x.csv, line 2: a quote inside"));
}

TEST(Csv, TextBehindAClosingQuoteIsAnError) {
  EXPECT_THAT(error_of([] { all_rows(csv_rows("\"a\"b,1\n", "x.csv")); }),
              HasSubstr("x.csv, line 1: text after the closing quote"));
  EXPECT_THAT(error_of([] { all_rows(csv_rows("\"text\";label\n", "x.csv")); }),
              HasSubstr("found ';', expected a comma"));
}

TEST(Jsonl, ReadsOneObjectPerLine) {
  const auto rows = all_rows(jsonl_rows("{\"a\": 1}\r\n{\"b\": \"\\u00e9\"}", "x.jsonl"));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].object.at("b"), "\u00e9");
  EXPECT_EQ(rows[1].line, 2);
}

TEST(Jsonl, NamesTheLineThatIsNotJson) {
  EXPECT_THAT(error_of([] { all_rows(jsonl_rows("{}\n{\"a\":\n", "x.jsonl")); }), HasSubstr("x.jsonl, line 2"));
}

TEST(Jsonl, NamesTheLineThatIsNotAnObject) {
  EXPECT_THAT(error_of([] { all_rows(jsonl_rows("{}\n[1]\n", "x.jsonl")); }),
              HasSubstr("x.jsonl, line 2: found array"));
}

TEST(Jsonl, AnEmptyLineInTheMiddleIsAnError) {
  EXPECT_THAT(error_of([] { all_rows(jsonl_rows("{}\n\n{}\n", "x.jsonl")); }), HasSubstr("x.jsonl, line 2"));
}

TEST(Tables, ALineOfSeparatorsAloneIsRefusedBeforeItFillsTheMemory) {
  const std::string tabs(100000, '\t'), commas(100000, ',');
  EXPECT_THAT(error_of([&] { all_rows(tsv_rows("a\n" + tabs, "x.tsv")); }),
              HasSubstr("x.tsv, line 2: more than 4096 columns"));
  EXPECT_THAT(error_of([&] { all_rows(csv_rows("a\n" + commas, "x.csv")); }),
              HasSubstr("x.csv, line 2: more than 4096 columns"));
  EXPECT_EQ(all_rows(tsv_rows(tabs.substr(0, 4095), "x.tsv")).front().fields.size(), 4096U);
}

TEST(Tables, ATableCanBeReadTwice) {
  const auto rows = csv_rows("a,b\nc,d", "x.csv");
  EXPECT_EQ(all_rows(rows).size(), 2U);
  EXPECT_EQ(all_rows(rows).size(), 2U);
}

}  // namespace
}  // namespace fedtune::data
