// What a Hugging Face folder says about its tokenizer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <vector>

#include "fedtune/text/added_tokens.h"
#include "fedtune/text/normalizer.h"
#include "fedtune/text/word_piece.h"

namespace fedtune::text {

// The ids set around two texts: `before` A `middle` B `after`; all is of token type 0 up to B, and of type
// `second_type` from there on.
struct PairTemplate {
  std::vector<std::int32_t> before, middle, after;
  std::int32_t second_type = 0;
};

struct TokenizerParts {
  NormalizerOptions normalizer;
  WordPieceOptions word_piece;
  std::vector<AddedToken> added_tokens;
  std::vector<std::int32_t> before, after;  // ids set around a sentence: [CLS], [SEP]
  std::optional<PairTemplate> pair;         // where the tokenizer has one
  std::int32_t pad_id = 0;
  std::int64_t model_max_length = std::numeric_limits<std::int64_t>::max();
  std::vector<std::filesystem::path> files;
};

// Reads tokenizer.json, or else vocab.txt, and what tokenizer_config.json, special_tokens_map.json and
// added_tokens.json add to it, by the rules of transformers' BertTokenizerFast. Throws Error(input); see
// Tokenizer::load.
TokenizerParts read_tokenizer_files(const std::filesystem::path& folder);

}  // namespace fedtune::text
