// Packed batches as plain integers: no padding between sentences.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fedtune::data {

// One labelled sentence, or a pair, after tokenisation, special tokens included.
struct Example {
  std::vector<std::int32_t> ids;
  std::int32_t label = 0;
  // Ids from here on are of token type 1: the second text of a pair. -1: none is.
  std::int32_t type_1_from = -1;
};

// Sentences laid end to end. Row t of a [rows, hidden] matrix is token t; sentence s owns rows offsets[s] ..
// offsets[s+1]-1.
struct PackedBatch {
  std::vector<std::int32_t> ids;        // [tokens]
  std::vector<std::int32_t> positions;  // [tokens] position within the sentence
  std::vector<std::int32_t> type_ids;   // [tokens] 0, or 1 in the second sentence of a pair
  std::vector<std::int32_t> offsets;    // [sentences + 1], offsets[0] == 0, offsets[sentences] == tokens
  std::vector<std::int32_t> labels;     // [sentences]

  int sentences() const { return static_cast<int>(labels.size()); }
  int tokens() const { return offsets.back(); }
};

// Packs examples[order[i]] for i in 0..n-1, in that order. Throws Error(failed) when order is empty or a sentence is.
PackedBatch pack(std::span<const Example> examples, std::span<const std::uint32_t> order);

}  // namespace fedtune::data
