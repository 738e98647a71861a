// A packed batch as tensors on the device of the model.
#pragma once

#include <cstdint>
#include <span>

#include "fedtune/models/config.h"
#include "fedtune/nn/ops.h"

namespace fedtune::models {

struct Batch {
  nn::EmbeddingIndex index;
  at::Tensor offsets;        // int32 [sentences + 1], CPU
  at::Tensor first_rows;     // int64 [sentences], device: offsets[0 .. sentences-1]
  at::Tensor first_row_ids;  // int32 [sentences], CPU: the same, for dropout counters
  at::Tensor labels;         // int64 [sentences], device
  std::int64_t sentences = 0;
};

// The columns of a packed batch (data/batch.h), as plain integers.
struct BatchColumns {
  std::span<const std::int32_t> ids;        // [tokens]
  std::span<const std::int32_t> positions;  // [tokens] within the sentence, from 0
  std::span<const std::int32_t> type_ids;   // [tokens]
  std::span<const std::int32_t> offsets;    // [sentences + 1]
  std::span<const std::int32_t> labels;     // [sentences]
};

// Copies the columns. Throws Error(input) when an id, position, token type or label is none of the model's (a tokenizer
// of another model, a sentence longer than the positions), Error(failed) when the columns do not fit together.
Batch make_batch(const BatchColumns& columns, const ModelConfig& config, at::Device device);

}  // namespace fedtune::models
