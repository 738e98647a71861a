// Packed batches as plain integers: no padding between sentences.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fedtune::data {

// One labelled sentence after tokenisation, special tokens included.
struct Example {
  std::vector<std::int32_t> ids;
  std::int32_t label = 0;
};

// Sentences laid end to end. Row t of a [rows, hidden] matrix is token t; sentence s owns rows offsets[s] ..
// offsets[s+1]-1. rows is tokens rounded up to a multiple of row_multiple (a matrix kernel is planned per number of
// rows, so few sizes are wanted); the rows behind the last sentence hold id 0 at position 0 and belong to no sentence.
struct PackedBatch {
  static constexpr int row_multiple = 16;

  std::vector<std::int32_t> ids;        // [rows]
  std::vector<std::int32_t> positions;  // [rows] position within the sentence
  std::vector<std::int32_t> type_ids;   // [rows] 0, or 1 in the second sentence of a pair
  std::vector<std::int32_t> offsets;    // [sentences + 1], offsets[0] == 0, offsets[sentences] == tokens
  std::vector<std::int32_t> labels;     // [sentences]

  int sentences() const { return static_cast<int>(labels.size()); }
  int tokens() const { return offsets.back(); }
  int rows() const { return static_cast<int>(ids.size()); }
};

// Packs examples[order[i]] for i in 0..n-1, in that order. Throws Error(failed) when order is empty or a sentence is.
PackedBatch pack(std::span<const Example> examples, std::span<const std::uint32_t> order);

}  // namespace fedtune::data
