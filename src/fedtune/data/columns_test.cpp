#include "fedtune/data/columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/testing.h"

namespace fedtune::data {
namespace {

using ::testing::HasSubstr;

Sentences read_tsv(std::string_view text, std::int64_t num_labels = 0) {
  return sentences_of(tsv_rows(text, "x.tsv"), {.source = "x.tsv", .num_labels = num_labels});
}

Sentences read_jsonl(std::string_view text, std::int64_t num_labels = 0) {
  return sentences_of(jsonl_rows(text, "x.jsonl"), {.source = "x.jsonl", .num_labels = num_labels});
}

TEST(Columns, AHeaderMayNameThemInAnyOrder) {
  const auto sentences = read_tsv("id\tlabel\tnote\tsentence\n7\t1\t-\tgood \n");
  ASSERT_EQ(sentences.size(), 1U);
  EXPECT_EQ(sentences[0].text, "good ");
  EXPECT_EQ(sentences[0].label, 1);
}

TEST(Columns, ASentenceMayBeCalledText) {
  EXPECT_EQ(read_tsv("label\ttext\n1\tgood\n")[0].text, "good");
  EXPECT_EQ(read_jsonl(R"({"text": "good", "label": 1})")[0].text, "good");
}

TEST(Columns, EachTaskOfGlueNamesItsPairsInItsOwnWay) {
  for (const char* header :
       {"sentence1\tsentence2\tlabel", "question1\tquestion2\tis_duplicate", "question\tsentence\tlabel",
        "premise\thypothesis\tlabel", "#1 String\t#2 String\tQuality", "sentence1\tsentence2\tgold_label"}) {
    const auto pairs = read_tsv(fmt::format("{}\nfirst\tsecond\t1\n", header));
    ASSERT_EQ(pairs.size(), 1U) << header;
    EXPECT_EQ(pairs[0].text, "first");
    EXPECT_EQ(pairs[0].second, "second");
    EXPECT_EQ(pairs[0].label, 1);
  }
}

TEST(Columns, AKeyForEachTextMakesAPair) {
  const auto pairs = read_jsonl(R"({"premise": "a", "hypothesis": "b", "label": 2, "idx": 0})");
  EXPECT_EQ(pairs[0].text, "a");
  EXPECT_EQ(pairs[0].second, "b");
  EXPECT_EQ(read_jsonl(R"({"sentence": "a", "label": 0})")[0].second, std::nullopt);
}

TEST(Columns, LabelsMayBeGluesWords) {
  const auto rows = read_tsv(
      "sentence1\tsentence2\tgold_label\na\tb\tentailment\na\tb\tneutral\na\tb\tcontradiction\na\tb\tnot_entailment\n");
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].label, 0);
  EXPECT_EQ(rows[1].label, 1);
  EXPECT_EQ(rows[2].label, 2);
  EXPECT_EQ(rows[3].label, 1);
}

TEST(Columns, AHiddenLabelIsAnErrorThatSaysWhy) {
  EXPECT_THAT(error_of([] { read_tsv("sentence\tlabel\na\t-1\n"); }),
              HasSubstr("x.tsv, line 2: label -1 stands for one that is kept secret"));
}

TEST(Columns, ColasFourColumnsNeedNoHeader) {
  const auto sentences = read_tsv("src\t0\t*\tGood it is.\nsrc\t1\t\tIt is good.\n");
  ASSERT_EQ(sentences.size(), 2U);
  EXPECT_EQ(sentences[0].text, "Good it is.");
  EXPECT_EQ(sentences[1].label, 1);
}

TEST(Columns, NoHeaderOtherwiseIsAnError) {
  EXPECT_THAT(error_of([] { read_tsv("good\t1\nbad\t0\n"); }), HasSubstr("x.tsv, line 1: found 2 columns without"));
  EXPECT_THAT(error_of([] { read_tsv("review\topinion\nbad\t0\n"); }),
              HasSubstr("`label`: `review`, `opinion`; expected"));
  const std::string text = "a text that goes on and on is no name of a column\t1\n";
  EXPECT_THAT(error_of([&] { read_tsv(text); }), HasSubstr("`sentence` and `label`; expected"));
}

TEST(Columns, AHeaderWithoutLabelsIsAnError) {
  EXPECT_THAT(error_of([] { read_tsv("sentence\nbad\n"); }), HasSubstr("x.tsv, line 1: found 1 column without"));
}

TEST(Columns, AnotherSeparatorIsSeen) {
  EXPECT_THAT(error_of([] { read_tsv("sentence;label\na;1\n"); }), HasSubstr("seem to stand between semicolons"));
  EXPECT_THAT(error_of([] { read_tsv("sentence,label\na,1\n"); }), HasSubstr("seem to stand between commas"));
  EXPECT_THAT(error_of([] { sentences_of(csv_rows("sentence\tlabel\na\t1\n", "x.csv"), {.source = "x.csv"}); }),
              HasSubstr("seem to stand between tabs"));
}

TEST(Columns, AMissingColumnNamesItsLine) {
  EXPECT_THAT(error_of([] { read_tsv("sentence\tlabel\na\t1\nb\n"); }),
              HasSubstr("x.tsv, line 3: found 1 column, expected 2"));
  EXPECT_THAT(error_of([] { read_tsv("sentence\tlabel\n\na\t1\n"); }), HasSubstr("line 2: found 1 column, expected 2"));
  EXPECT_THAT(error_of([] { read_tsv("sentence\tlabel\n\na\t1\n"); }), HasSubstr("the line is empty"));
}

TEST(Columns, AColumnTooManyNamesItsLine) {
  EXPECT_THAT(error_of([] { read_tsv("sentence\tlabel\na\tb\t1\n"); }),
              HasSubstr("x.tsv, line 2: found 3 columns, expected 2"));
  EXPECT_THAT(error_of([] { read_tsv("sentence\tlabel\na\tb\t1\n"); }), HasSubstr("cannot hold a tab"));
  EXPECT_THAT(error_of([] { sentences_of(csv_rows("sentence,label\na,b,1\n", "x.csv"), {.source = "x.csv"}); }),
              HasSubstr("stands in double quotes"));
}

TEST(Columns, ALabelThatIsNoIntegerNamesItsLine) {
  EXPECT_THAT(error_of([] { read_tsv("sentence\tlabel\na\tpos\n"); }), HasSubstr("x.tsv, line 2: the label is 'pos'"));
  EXPECT_THAT(error_of([] { read_tsv("sentence\tlabel\na\t1.0\n"); }), HasSubstr("x.tsv, line 2: the label is '1.0'"));
  EXPECT_THAT(error_of([] { read_tsv("sentence\tlabel\na\t\n"); }), HasSubstr("x.tsv, line 2: the label is ''"));
  EXPECT_THAT(error_of([] { read_tsv("sentence\tlabel\na\tpos\n"); }), HasSubstr("number the classes"));
}

TEST(Columns, ALabelOutsideTheClassesNamesItsLine) {
  EXPECT_THAT(error_of([] { read_tsv("sentence\tlabel\na\t2\n", 2); }),
              HasSubstr("x.tsv, line 2: label 2 is outside 0 .. 1"));
  EXPECT_THAT(error_of([] { read_tsv("sentence\tlabel\na\t-2\n"); }), HasSubstr("x.tsv, line 2: label -2 is outside"));
}

TEST(Columns, AnEmptyTableIsAnError) {
  EXPECT_THAT(error_of([] { read_tsv(""); }), HasSubstr("x.tsv: no sentences"));
  EXPECT_THAT(error_of([] { read_tsv("sentence\tlabel\n"); }), HasSubstr("x.tsv: no sentences"));
  EXPECT_THAT(error_of([] { read_jsonl(""); }), HasSubstr("x.jsonl: no sentences"));
}

TEST(Columns, JsonKeysAreReadByName) {
  const auto sentences = read_jsonl(R"({"label": 1, "idx": 3, "sentence": "a\tb"})");
  ASSERT_EQ(sentences.size(), 1U);
  EXPECT_EQ(sentences[0].text, "a\tb");
  EXPECT_EQ(sentences[0].label, 1);
}

TEST(Columns, AJsonRowWithoutSentenceNamesItsLine) {
  EXPECT_THAT(error_of([] { read_jsonl(R"({"label": 1})"); }), HasSubstr("x.jsonl, line 1: expected a text"));
}

TEST(Columns, AJsonLabelThatIsNoIntegerNamesItsLine) {
  EXPECT_THAT(error_of([] { read_jsonl(R"({"sentence": "a", "label": "1"})"); }),
              HasSubstr("x.jsonl, line 1: expected an integer"));
}

}  // namespace
}  // namespace fedtune::data
