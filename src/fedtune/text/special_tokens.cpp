#include "fedtune/text/special_tokens.h"

#include <algorithm>
#include <array>

#include "fedtune/base/error.h"
#include "fedtune/format/json_file.h"

namespace fedtune::text {
namespace {

constexpr std::array<DefaultToken, 5> bert_tokens{{
    {.role = "unk_token", .content = "[UNK]"},
    {.role = "sep_token", .content = "[SEP]"},
    {.role = "pad_token", .content = "[PAD]"},
    {.role = "cls_token", .content = "[CLS]"},
    {.role = "mask_token", .content = "[MASK]"},
}};

constexpr std::array<DefaultToken, 7> roberta_tokens{{
    {.role = "bos_token", .content = "<s>"},
    {.role = "eos_token", .content = "</s>"},
    {.role = "unk_token", .content = "<unk>"},
    {.role = "sep_token", .content = "</s>"},
    {.role = "pad_token", .content = "<pad>"},
    {.role = "cls_token", .content = "<s>"},
    {.role = "mask_token", .content = "<mask>", .lstrip = true},
}};

// What the files say of a role: a string, an object with flags, a list, or null. Older folders, without
// added_tokens_decoder, keep the truth in special_tokens_map.json.
nlohmann::json role_entry(const SpecialTokenFiles& files, const std::string& role) {
  const bool old_folder = !files.config.contains("added_tokens_decoder");
  if (old_folder && files.map.contains(role)) return files.map.at(role);
  return files.config.value(role, nlohmann::json());
}

// The token of a role, its id left 0.
AddedToken token_of(const SpecialTokenFiles& files, const DefaultToken& standard) {
  const std::string role(standard.role);
  const nlohmann::json entry = role_entry(files, role);
  if (entry.is_object()) return parse_added_token(entry, role);
  const AddedToken named =
      entry.is_null() ? AddedToken{.content = std::string(standard.content)} : parse_added_token(entry, role);
  return {.content = named.content, .lstrip = standard.lstrip};
}

std::int32_t parse_id(const std::string& text) {
  try {
    std::size_t used = 0;
    const int id = std::stoi(text, &used);
    if (used == text.size() && id >= 0) return id;
  } catch (const std::exception&) {
  }
  throw input_error("tokenizer_config.json: added_tokens_decoder has the key '{}', expected a token id", text);
}

}  // namespace

std::span<const DefaultToken> bert_special_tokens() {
  return bert_tokens;
}

std::span<const DefaultToken> roberta_special_tokens() {
  return roberta_tokens;
}

std::string special_token(const SpecialTokenFiles& files, const std::string& role) {
  for (const DefaultToken& standard : files.defaults) {
    if (role == standard.role) return token_of(files, standard).content;
  }
  throw failed("special_token: {} is no role of the tokenizer", role);
}

AddedToken parse_added_token(const nlohmann::json& entry, const std::string& source) {
  if (entry.is_string()) return {.content = entry.get<std::string>()};
  if (!entry.is_object()) throw input_error("{}: found {}, expected a token", source, entry.dump());
  const bool special = optional_or(entry, "special", false, source);
  return {.content = required<std::string>(entry, "content", source),
          .single_word = optional_or(entry, "single_word", false, source),
          .lstrip = optional_or(entry, "lstrip", false, source),
          .rstrip = optional_or(entry, "rstrip", false, source),
          .normalized = optional_or(entry, "normalized", !special, source)};
}

std::optional<std::int32_t> TokenTable::id(const std::string& content) const {
  if (const auto found = vocabulary_.find(content); found != vocabulary_.end()) return found->second;
  if (const auto found = tokens_.find(content); found != tokens_.end()) return found->second.id;
  return std::nullopt;
}

void TokenTable::add(AddedToken token) {
  if (const auto known = id(token.content)) token.id = *known;
  tokens_.insert_or_assign(token.content, token);
}

void TokenTable::add_from(const SpecialTokenFiles& files) {
  const nlohmann::json decoder = files.config.value("added_tokens_decoder", nlohmann::json::object());
  for (const auto& [key, entry] : decoder.items()) {
    AddedToken token = parse_added_token(entry, "tokenizer_config.json: added_tokens_decoder");
    token.id = parse_id(key);
    add(std::move(token));
  }
  std::vector<AddedToken> special;
  special.reserve(files.defaults.size());
  for (const DefaultToken& standard : files.defaults) special.push_back(token_of(files, standard));
  for (const nlohmann::json& entry : role_entry(files, "additional_special_tokens")) {
    special.push_back(parse_added_token(entry, "additional_special_tokens"));
  }
  const auto is_special = [&](const std::string& content) {
    return std::any_of(special.begin(), special.end(), [&](const AddedToken& t) { return t.content == content; });
  };
  const bool added_counts = !files.config.contains("added_tokens_decoder");  // which says the same with flags
  for (const auto& [content, number] : files.added.items()) {
    if (!added_counts || tokens_.contains(content)) continue;
    add({.content = content,
         .id = required<std::int32_t>(files.added, content, "added_tokens.json"),
         .normalized = !is_special(content)});
  }
  for (AddedToken& token : special) {
    token.normalized = false;
    if (id(token.content) && !tokens_.contains(token.content)) add(token);
  }
}

std::vector<AddedToken> TokenTable::tokens() const {
  std::vector<AddedToken> list;
  for (const auto& [content, token] : tokens_) list.push_back(token);
  return list;
}

}  // namespace fedtune::text
