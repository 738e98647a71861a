// Sentences to token ids, once per run.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fedtune/data/batch.h"
#include "fedtune/data/dataset.h"
#include "fedtune/text/tokenizer.h"

namespace fedtune::data {

struct TokenizeOptions {
  std::int64_t max_length = 512;  // ids per sentence, special tokens included
  int workers = 1;                // threads; the result does not depend on how many
};

// One Example per sentence, in order. Throws what Tokenizer::encode throws, for the first sentence concerned.
std::vector<Example> tokenize(const Sentences& sentences, const text::Tokenizer& tokenizer,
                              const TokenizeOptions& options);

// Copies of the examples that a share owns, in its order.
std::vector<Example> select(std::span<const Example> examples, std::span<const std::uint32_t> share);

}  // namespace fedtune::data
