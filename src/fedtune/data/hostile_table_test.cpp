// Tables made to cost memory: no allocation is larger than twice the file and 64 MB.
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/testing_allocations.h"
#include "fedtune/data/columns.h"

namespace fedtune::data {
namespace {

constexpr std::size_t file_size = 4 << 20;

std::string table_of(std::string text, std::string_view row) {
  while (text.size() < file_size) text += row;
  return text;
}

template <typename R>
void expect_bounded(const Rows<R>& rows) {
  const AllocationMeter meter;
  try {
    EXPECT_GT(sentences_of(rows, {.source = "m"}).size(), 0U);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
  }
  EXPECT_LE(meter.largest(), 2 * file_size + (64U << 20));
}

TEST(HostileTable, TheShortestSentencesAreNotHeldAtOnce) {
  const std::string tsv = table_of("text\tlabel\n", "\t0\n");
  expect_bounded(tsv_rows(tsv, "m"));
  const std::string csv = table_of("text,label\n", ",0\n");
  expect_bounded(csv_rows(csv, "m"));
  const std::string jsonl = table_of("", "{\"text\":\"\",\"label\":0}\n");
  expect_bounded(jsonl_rows(jsonl, "m"));
}

TEST(HostileTable, SeparatorsAloneAreNotHeldAtOnce) {
  for (const std::string_view row : {"\t", "\n", ","}) {
    const std::string text = table_of("text\tlabel\n", row);
    expect_bounded(tsv_rows(text, "m"));
    expect_bounded(csv_rows(text, "m"));
  }
}

}  // namespace
}  // namespace fedtune::data
