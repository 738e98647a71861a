#include "fedtune/data/examples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/temporary_folder.h"

namespace fedtune::data {
namespace {

using ::testing::ElementsAre;

text::Tokenizer small_tokenizer() {
  TemporaryFolder folder;
  folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n");
  return text::Tokenizer::load(folder.path());
}

TEST(Examples, HoldIdsAndLabels) {
  const Sentences sentences{{.text = "A b", .label = 1}, {.text = "", .label = 0}};
  const auto examples = tokenize(sentences, small_tokenizer(), {});
  ASSERT_EQ(examples.size(), 2U);
  EXPECT_THAT(examples[0].ids, ElementsAre(2, 5, 6, 3));
  EXPECT_EQ(examples[0].label, 1);
  EXPECT_THAT(examples[1].ids, ElementsAre(2, 3));
}

TEST(Examples, OfAPairKnowWhereTheSecondTextBegins) {
  const Sentences pairs{{.text = "a b", .label = 1, .second = "b"}};
  const auto examples = tokenize(pairs, small_tokenizer(), {});
  EXPECT_THAT(examples[0].ids, ElementsAre(2, 5, 6, 3, 6, 3));
  const PackedBatch batch = pack(examples, std::vector<std::uint32_t>{0});
  EXPECT_THAT(batch.type_ids, ElementsAre(0, 0, 0, 0, 1, 1));
}

TEST(Examples, DoNotDependOnTheNumberOfThreads) {
  Sentences sentences(5000);
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    sentences[i] = {.text = std::string(i % 7, 'a') + " b", .label = static_cast<std::int32_t>(i)};
  }
  const text::Tokenizer tokenizer = small_tokenizer();
  const auto one = tokenize(sentences, tokenizer, {.max_length = 4, .workers = 1});
  const auto four = tokenize(sentences, tokenizer, {.max_length = 4, .workers = 4});
  for (std::size_t i = 0; i < one.size(); ++i) {
    ASSERT_EQ(one[i].ids, four[i].ids);
    ASSERT_EQ(four[i].label, static_cast<std::int32_t>(i));
  }
}

TEST(Examples, TextThatIsNotUtf8IsAnError) {
  const Sentences sentences{{.text = "\xff", .label = 0}};
  EXPECT_THROW(tokenize(sentences, small_tokenizer(), {}), Error);
}

TEST(Examples, AreSelectedInTheOrderOfTheShare) {
  const std::vector<Example> examples{{.ids = {1}, .label = 0}, {.ids = {2}, .label = 1}, {.ids = {3}, .label = 2}};
  const auto selected = select(examples, std::vector<std::uint32_t>{2, 0});
  ASSERT_EQ(selected.size(), 2U);
  EXPECT_EQ(selected[0].label, 2);
  EXPECT_EQ(selected[1].label, 0);
}

}  // namespace
}  // namespace fedtune::data
