// BERT's way from text to ids: normalise, cut at white space and punctuation, WordPiece.
#pragma once

#include <memory>

#include "fedtune/text/normalizer.h"
#include "fedtune/text/pieces.h"
#include "fedtune/text/word_piece.h"

namespace fedtune::text {

struct BertOptions {
  NormalizerOptions normalizer = {};
  WordPieceOptions word_piece = {};
};

// Throws what WordPiece throws.
std::unique_ptr<const Pieces> make_pieces(const BertOptions& options);

}  // namespace fedtune::text
