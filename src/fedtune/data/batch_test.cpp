#include "fedtune/data/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"

namespace fedtune::data {
namespace {

using ::testing::ElementsAre;

const std::vector<Example> examples{
    {.ids = {2, 7, 3}, .label = 1}, {.ids = {2, 3}, .label = 0}, {.ids = {}, .label = 0}};

TEST(Packing, KeepsSentencesApart) {
  const PackedBatch batch = pack(examples, std::vector<std::uint32_t>{1, 0});
  EXPECT_THAT(batch.offsets, ElementsAre(0, 2, 5));
  EXPECT_THAT(batch.labels, ElementsAre(0, 1));
  EXPECT_EQ(batch.sentences(), 2);
  EXPECT_EQ(batch.tokens(), 5);
}

TEST(Packing, CountsPositionsWithinEachSentence) {
  const PackedBatch batch = pack(examples, std::vector<std::uint32_t>{0, 1});
  EXPECT_THAT(batch.ids, ElementsAre(2, 7, 3, 2, 3));
  EXPECT_THAT(batch.positions, ElementsAre(0, 1, 2, 0, 1));
  EXPECT_THAT(batch.type_ids, ElementsAre(0, 0, 0, 0, 0));
}

TEST(Packing, RefusesAnEmptyBatch) {
  EXPECT_THROW(pack(examples, {}), Error);
}

TEST(Packing, RefusesASentenceWithoutTokens) {
  EXPECT_THROW(pack(examples, std::vector<std::uint32_t>{2}), Error);
}

}  // namespace
}  // namespace fedtune::data
