// What a Hugging Face folder says about its tokenizer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "fedtune/text/added_tokens.h"
#include "fedtune/text/bert_pieces.h"
#include "fedtune/text/byte_level_pieces.h"
#include "fedtune/text/post_processor.h"
#include "fedtune/text/special_tokens.h"

namespace fedtune::text {

struct TokenizerParts {
  // A kind of tokenizer is one of these, with make_pieces() beside it and a *_files.cpp that reads it.
  std::variant<BertOptions, ByteLevelOptions> pieces = {};
  std::vector<AddedToken> added_tokens = {};
  Template around = {};
  std::int32_t pad_id = 0;
  std::int64_t model_max_length = std::numeric_limits<std::int64_t>::max();
  std::vector<std::filesystem::path> files = {};
};

// Reads tokenizer.json, or else vocab.txt, or else vocab.json with merges.txt, and what tokenizer_config.json,
// special_tokens_map.json and added_tokens.json add to it, by the rules of transformers' BertTokenizerFast and
// RobertaTokenizerFast. Throws Error(input); see Tokenizer::load.
TokenizerParts read_tokenizer_files(const std::filesystem::path& folder);
// Whether one of the three is there.
bool has_tokenizer_files(const std::filesystem::path& folder);

// For the readers of each kind.

// Everything but `model_max_length` and `files`, from a tokenizer.json that is parsed in `root`; `source` names it.
TokenizerParts read_bert_json(const nlohmann::json& root, const std::string& source, SpecialTokenFiles files);
TokenizerParts read_byte_level_json(const nlohmann::json& root, const std::string& source, SpecialTokenFiles files);
// The same from the files that came before tokenizer.json.
TokenizerParts read_vocab_txt(const std::filesystem::path& path, SpecialTokenFiles files);
TokenizerParts read_vocab_and_merges(const std::filesystem::path& folder, SpecialTokenFiles files);

// An object of tokens and ids of 0 or more.
Vocabulary parse_vocabulary(const nlohmann::json& object, const std::string& source);
// Throws Error(input) unless the part `key` of a tokenizer.json is of the type `expected`.
void require_type(const nlohmann::json& root, const std::string& key, const std::string& expected,
                  const std::string& source);
// Fills in what every tokenizer.json says alike: added tokens, post_processor, padding token.
void read_common_parts(const nlohmann::json& root, const std::string& source, const SpecialTokenFiles& files,
                       TokenizerParts& parts);
// Fills in the same where there is no tokenizer.json; `frame` makes the template of the two delimiters.
void derive_common_parts(const std::string& source, const SpecialTokenFiles& files,
                         Template (*frame)(const Delimiters&), TokenizerParts& parts);

const Vocabulary& vocabulary_of(const TokenizerParts& parts);
// Of all its tokens.
std::int32_t largest_id(const TokenizerParts& parts);

}  // namespace fedtune::text
