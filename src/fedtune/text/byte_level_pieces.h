// RoBERTa's and GPT-2's way from text to ids: cut by GPT-2's pattern, byte-pair encoding of each word's bytes.
#pragma once

#include <memory>

#include "fedtune/text/byte_pair.h"
#include "fedtune/text/pieces.h"

namespace fedtune::text {

struct ByteLevelOptions {
  BytePairOptions byte_pair = {};
  // Whether a text, and what follows an added token, is read as if it began with a blank.
  bool add_prefix_space = false;
};

// Throws what BytePair throws.
std::unique_ptr<const Pieces> make_pieces(const ByteLevelOptions& options);

}  // namespace fedtune::text
