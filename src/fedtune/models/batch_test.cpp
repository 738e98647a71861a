#include "fedtune/models/batch.h"

#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include "fedtune/base/error.h"

namespace fedtune::models {
namespace {

using testing::HasSubstr;

// Two sentences of 3 and 2 tokens.
struct Columns {
  std::vector<std::int32_t> ids{2, 7, 3, 2, 3};
  std::vector<std::int32_t> positions{0, 1, 2, 0, 1};
  std::vector<std::int32_t> type_ids{0, 0, 1, 0, 0};
  std::vector<std::int32_t> offsets{0, 3, 5};
  std::vector<std::int32_t> labels{1, 0};
};

const ModelConfig plain{.vocab_size = 8, .max_positions = 3, .type_vocab_size = 2, .num_labels = 2};
const ModelConfig offset{
    .vocab_size = 8, .max_positions = 5, .type_vocab_size = 1, .pad_token_id = 1, .first_position = 2, .num_labels = 2};

Batch build(const Columns& columns, const ModelConfig& config = plain) {
  return make_batch({columns.ids, columns.positions, columns.type_ids, columns.offsets, columns.labels}, config,
                    at::kCPU);
}

std::string refusal_of_columns(const std::function<void(Columns&)>& change, ErrorKind kind) {
  Columns columns;
  change(columns);
  try {
    build(columns);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  return "accepted";
}

TEST(Batch, KnowsEachSentencesFirstRow) {
  const Batch batch = build({});
  EXPECT_EQ(batch.sentences, 2);
  EXPECT_TRUE(at::equal(batch.first_rows, at::tensor({0, 3}, at::kLong)));
  EXPECT_TRUE(at::equal(batch.first_row_ids, at::tensor({0, 3}, at::kInt)));
  EXPECT_TRUE(at::equal(batch.labels, at::tensor({1, 0}, at::kLong)));
}

TEST(Batch, CountsPositionsFromTheModelsFirst) {
  EXPECT_TRUE(at::equal(build({}).index.positions, at::tensor({0, 1, 2, 0, 1}, at::kInt)));
  const Columns untyped{.type_ids = {0, 0, 0, 0, 0}};
  EXPECT_TRUE(at::equal(build(untyped, offset).index.positions, at::tensor({2, 3, 4, 2, 3}, at::kInt)));
}

TEST(Batch, APaddingTokenWithinATextDoesNotCount) {
  const Columns columns{.ids = {2, 1, 3, 1, 3}, .type_ids = {0, 0, 0, 0, 0}};
  EXPECT_TRUE(at::equal(build(columns, offset).index.positions, at::tensor({2, 1, 3, 1, 2}, at::kInt)));
}

TEST(Batch, RefusesASentenceLongerThanWhatIsBehindTheFirstPosition) {
  ModelConfig shorter = offset;
  shorter.max_positions = 4;
  EXPECT_THROW(build({.type_ids = {0, 0, 0, 0, 0}}, shorter), Error);
}

TEST(Batch, RefusesAnIdOutsideTheVocabulary) {
  EXPECT_THAT(refusal_of_columns([](Columns& c) { c.ids[1] = 8; }, ErrorKind::input),
              HasSubstr("token id 8 is outside"));
  EXPECT_THAT(refusal_of_columns([](Columns& c) { c.ids[1] = -1; }, ErrorKind::input),
              HasSubstr("token id -1 is outside"));
}

TEST(Batch, RefusesAPositionBeyondTheModels) {
  EXPECT_THAT(refusal_of_columns([](Columns& c) { c.positions[2] = 3; }, ErrorKind::input),
              HasSubstr("position 3 is outside"));
}

TEST(Batch, RefusesATokenTypeBeyondTheModels) {
  EXPECT_THAT(refusal_of_columns([](Columns& c) { c.type_ids[0] = 2; }, ErrorKind::input),
              HasSubstr("token type 2 is outside"));
}

TEST(Batch, RefusesALabelThatIsNoClass) {
  EXPECT_THAT(refusal_of_columns([](Columns& c) { c.labels[0] = 2; }, ErrorKind::input),
              HasSubstr("label 2 is outside"));
}

TEST(Batch, RefusesAnEmptySentence) {
  EXPECT_THAT(refusal_of_columns([](Columns& c) { c.offsets[1] = 0; }, ErrorKind::failed),
              HasSubstr("columns do not describe"));
}

TEST(Batch, RefusesColumnsOfDifferentLengths) {
  EXPECT_THAT(refusal_of_columns([](Columns& c) { c.positions.pop_back(); }, ErrorKind::failed), HasSubstr("columns"));
  EXPECT_THAT(refusal_of_columns([](Columns& c) { c.labels.pop_back(); }, ErrorKind::failed), HasSubstr("columns"));
  EXPECT_THAT(refusal_of_columns([](Columns& c) { c.offsets[2] = 7; }, ErrorKind::failed), HasSubstr("columns"));
}

}  // namespace
}  // namespace fedtune::models
