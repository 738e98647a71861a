#include "fedtune/models/batch.h"

#include <string_view>
#include <utility>
#include <vector>

#include <ATen/ops/tensor.h>

#include "fedtune/base/error.h"

namespace fedtune::models {
namespace {

// What a column counts and how many of it the model has.
struct Range {
  std::string_view what;
  std::int64_t size;
};

void require_below(std::span<const std::int32_t> column, const Range& range) {
  for (const std::int32_t value : column) {
    if (value < 0 || value >= range.size) {
      throw input_error(
          "building a batch: {} {} is outside the model's 0 .. {}; do tokenizer, data and model belong together?",
          range.what, value, range.size - 1);
    }
  }
}

void require_consistent(const BatchColumns& columns) {
  const std::size_t rows = columns.ids.size();
  bool fits = columns.positions.size() == rows && columns.type_ids.size() == rows && !columns.labels.empty() &&
              columns.offsets.size() == columns.labels.size() + 1 && columns.offsets.front() == 0 &&
              static_cast<std::size_t>(columns.offsets.back()) == rows;
  for (std::size_t s = 0; fits && s + 1 < columns.offsets.size(); ++s)
    fits = columns.offsets[s] < columns.offsets[s + 1];
  if (!fits) throw failed("building a batch: its columns do not describe the same sentences");
}

at::Tensor copied(std::span<const std::int32_t> column) {
  return at::tensor(at::ArrayRef<std::int32_t>(column.data(), column.size()), at::kInt);
}

// Positions from first_position on. Where that is not 0, padding tokens, which may stand in a text under their name,
// are all at the position before it and do not count, as transformers has it for RoBERTa.
std::vector<std::int32_t> model_positions(const BatchColumns& columns, const ModelConfig& config) {
  const auto first = static_cast<std::int32_t>(config.first_position);
  std::vector<std::int32_t> positions(columns.positions.begin(), columns.positions.end());
  if (first == 0) return positions;
  for (std::size_t s = 0; s + 1 < columns.offsets.size(); ++s) {
    std::int32_t next = first;
    for (auto row = static_cast<std::size_t>(columns.offsets[s]); std::cmp_less(row, columns.offsets[s + 1]); ++row) {
      positions[row] = columns.ids[row] == config.pad_token_id ? first - 1 : next++;
    }
  }
  return positions;
}

}  // namespace

Batch make_batch(const BatchColumns& columns, const ModelConfig& config, at::Device device) {
  require_consistent(columns);
  require_below(columns.ids, {"token id", config.vocab_size});
  require_below(columns.positions, {"position", config.longest_sentence()});
  if (config.type_vocab_size > 0) require_below(columns.type_ids, {"token type", config.type_vocab_size});
  require_below(columns.labels, {"label", config.num_labels});

  Batch batch;
  batch.sentences = static_cast<std::int64_t>(columns.labels.size());
  batch.index.ids = copied(columns.ids).to(device);
  batch.index.positions = copied(model_positions(columns, config)).to(device);
  batch.index.type_ids = copied(columns.type_ids).to(device);
  batch.offsets = copied(columns.offsets);
  batch.first_row_ids = batch.offsets.narrow(0, 0, batch.sentences);
  batch.first_rows = batch.first_row_ids.to(at::kLong).to(device);
  batch.labels = copied(columns.labels).to(at::kLong).to(device);
  return batch;
}

}  // namespace fedtune::models
