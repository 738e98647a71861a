// The special and added tokens that the files beside a vocabulary name.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "fedtune/text/added_tokens.h"

namespace fedtune::text {

// What a kind of tokenizer takes for a role such as "cls_token" where no file says otherwise.
struct DefaultToken {
  std::string_view role;
  std::string_view content;
  bool lstrip = false;  // so is a token that a file gives by its text alone
};
std::span<const DefaultToken> bert_special_tokens();     // [CLS], [SEP], ...
std::span<const DefaultToken> roberta_special_tokens();  // <s>, </s>, ...

// The parsed files; an empty object where one is missing.
struct SpecialTokenFiles {
  nlohmann::json config = nlohmann::json::object();  // tokenizer_config.json
  nlohmann::json map = nlohmann::json::object();     // special_tokens_map.json
  nlohmann::json added = nlohmann::json::object();   // added_tokens.json
  std::span<const DefaultToken> defaults = bert_special_tokens();
};

// The text of a role; tokenizer_config with added_tokens_decoder outranks special_tokens_map.
std::string special_token(const SpecialTokenFiles& files, const std::string& role);

// One entry of tokenizer.json's added_tokens, of added_tokens_decoder or of a role; a plain string has no flags. The id
// is left 0. Throws Error(input) naming `source`.
AddedToken parse_added_token(const nlohmann::json& entry, const std::string& source);

// Tokens under their text.
class TokenTable {
 public:
  explicit TokenTable(const std::map<std::string, std::int32_t>& vocabulary) : vocabulary_(vocabulary) {}

  std::optional<std::int32_t> id(const std::string& content) const;
  // Takes the token in, or changes its flags; one that the vocabulary knows keeps the vocabulary's id.
  void add(AddedToken token);
  // What `files` name beyond the tokens already there. A special token that has no id anywhere is ordinary text.
  void add_from(const SpecialTokenFiles& files);

  std::vector<AddedToken> tokens() const;

 private:
  const std::map<std::string, std::int32_t>& vocabulary_;
  std::map<std::string, AddedToken> tokens_;
};

}  // namespace fedtune::text
