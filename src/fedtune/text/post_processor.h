// The special tokens that are set around a text or a pair of texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace fedtune::text {

// The ids set around two texts: `before` A `middle` B `after`; all is of token type 0 up to B, and of type
// `second_type` from there on.
struct PairTemplate {
  std::vector<std::int32_t> before = {}, middle = {}, after = {};
  std::int32_t second_type = 0;
};

struct Template {
  std::vector<std::int32_t> before = {}, after = {};  // around one text: [CLS], [SEP]
  std::optional<PairTemplate> pair = {};              // where the tokenizer has one
};

// The two special tokens of which the fixed templates are made.
struct Delimiters {
  std::int32_t cls;
  std::int32_t sep;
};
// [CLS] A [SEP] and [CLS] A [SEP] B [SEP], the second text and its [SEP] of type 1.
Template bert_template(const Delimiters& ids);
// <s> A </s> and <s> A </s> </s> B </s>, without token types.
Template roberta_template(const Delimiters& ids);

// Of a tokenizer.json, `source`, already parsed. A pair's template that turns the texts around or numbers token types
// otherwise is left out. Throws Error(input) where the part post_processor is of no known type or incomplete.
Template read_post_processor(const nlohmann::json& root, const std::string& source);

}  // namespace fedtune::text
