// Byte-level BPE in tokenizer.json and in vocab.json with merges.txt.
#include <algorithm>
#include <array>
#include <set>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/format/json_file.h"
#include "fedtune/text/tokenizer_files.h"
#include "fedtune/text/unicode.h"

namespace fedtune::text {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;
using Merges = std::vector<std::pair<std::string, std::string>>;

// Settings of the library's BPE that change ids and that RoBERTa does not use.
void require_plain(const json& model, const std::string& source) {
  for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix", "ignore_merges"}) {
    const json value = model.value(key, json());
    const std::array<json, 3> none{json(), json(""), json(false)};
    if (std::ranges::find(none, value) != none.end()) continue;
    throw input_error("{}: the model's {} is {}, expected none: only byte-level BPE as RoBERTa has it is supported",
                      source, key, value.dump());
  }
}

// "a b", or from newer libraries ["a", "b"].
std::pair<std::string, std::string> parse_merge(const json& entry, const std::string& source) {
  if (entry.is_array() && entry.size() == 2) return {entry[0].get<std::string>(), entry[1].get<std::string>()};
  const std::string text = entry.is_string() ? entry.get<std::string>() : "";
  const std::size_t blank = text.find(' ');
  if (blank == 0 || blank == std::string::npos || blank + 1 == text.size() ||
      text.find(' ', blank + 1) != std::string::npos) {
    throw input_error("{}: found {} among the merges, expected two tokens", source, entry.dump());
  }
  return {text.substr(0, blank), text.substr(blank + 1)};
}

BytePairOptions read_byte_pair(const json& root, const std::string& source) {
  const json model = required<json>(root, "model", source);
  require_plain(model, source);
  BytePairOptions options{.vocabulary = parse_vocabulary(required<json>(model, "vocab", source), source)};
  for (const json& entry : required<json>(model, "merges", source)) {
    options.merges.push_back(parse_merge(entry, source));
  }
  if (const json unknown = model.value("unk_token", json()); !unknown.is_null()) {
    options.unknown_token = required<std::string>(model, "unk_token", source);
  }
  return options;
}

// Lines of two tokens below a line that says the version; a pair that comes again changes nothing. As transformers
// does, what stands behind the last line end is not read.
Merges read_merges(const fs::path& path) {
  const std::string text = read_file(path);
  if (const auto invalid = find_invalid_utf8(text)) {
    throw input_error("{}: byte {} is not UTF-8; expected two tokens per line", path.string(), *invalid);
  }
  Merges merges;
  std::set<std::string_view> seen;
  const std::string_view all = std::string_view(text).substr(0, text.rfind('\n') + 1);
  for (std::size_t begin = std::min(all.find('\n'), all.size()) + 1; begin < all.size();) {
    const std::size_t end = all.find('\n', begin);
    std::string_view line = all.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && seen.insert(line).second) merges.push_back(parse_merge(json(line), path.string()));
    begin = end + 1;
  }
  return merges;
}

// transformers puts tokenizer_config's setting, or its default, over that of tokenizer.json.
bool adds_prefix_space(const json& config) {
  return optional_or(config, "add_prefix_space", false, "tokenizer_config.json");
}

}  // namespace

TokenizerParts read_byte_level_json(const json& root, const std::string& source, SpecialTokenFiles files) {
  files.defaults = roberta_special_tokens();
  if (const json normalizer = root.value("normalizer", json()); !normalizer.is_null()) {
    throw input_error("{}: normalizer is {}, expected none beside a BPE model", source, normalizer.dump());
  }
  require_type(root, "pre_tokenizer", "ByteLevel", source);
  if (!optional_or(root.at("pre_tokenizer"), "use_regex", true, source)) {
    throw input_error("{}: the pre_tokenizer's use_regex is false, expected true", source);
  }
  TokenizerParts parts{.pieces = ByteLevelOptions{.byte_pair = read_byte_pair(root, source),
                                                  .add_prefix_space = adds_prefix_space(files.config)}};
  read_common_parts(root, source, files, parts);
  return parts;
}

TokenizerParts read_vocab_and_merges(const fs::path& folder, SpecialTokenFiles files) {
  const std::string type =
      optional_or(files.config, "tokenizer_class", std::string("RobertaTokenizer"), "tokenizer_config.json");
  if (!type.starts_with("RobertaTokenizer")) {
    throw input_error("tokenizer_config.json of {}: tokenizer_class is {}, expected RobertaTokenizer", folder.string(),
                      type);
  }
  files.defaults = roberta_special_tokens();
  const std::string source = (folder / "vocab.json").string();
  TokenizerParts parts{
      .pieces = ByteLevelOptions{.byte_pair = {.vocabulary = parse_vocabulary(load_json(folder / "vocab.json"), source),
                                               .merges = read_merges(folder / "merges.txt")},
                                 .add_prefix_space = adds_prefix_space(files.config)}};
  derive_common_parts(source, files, roberta_template, parts);
  return parts;
}

}  // namespace fedtune::text
