// BERT's tokenizer in tokenizer.json and in vocab.txt.
#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/format/json_file.h"
#include "fedtune/text/tokenizer_files.h"
#include "fedtune/text/unicode.h"

namespace fedtune::text {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

NormalizerOptions read_normalizer(const json& root, const std::string& source) {
  require_type(root, "normalizer", "BertNormalizer", source);
  const json& part = root.at("normalizer");
  NormalizerOptions options{.clean_text = optional_or(part, "clean_text", true, source),
                            .handle_chinese_chars = optional_or(part, "handle_chinese_chars", true, source),
                            .lowercase = optional_or(part, "lowercase", true, source)};
  if (part.contains("strip_accents") && !part.at("strip_accents").is_null()) {
    options.strip_accents = required<bool>(part, "strip_accents", source);
  }
  return options;
}

// BertTokenizerFast puts tokenizer_config's settings, or its defaults, over those of tokenizer.json.
void apply_config(const json& config, NormalizerOptions& options) {
  const std::string source = "tokenizer_config.json";
  if (optional_or(config, "tokenizer_class", std::string(), source) == "PreTrainedTokenizerFast") return;
  options.lowercase = optional_or(config, "do_lower_case", true, source);
  options.handle_chinese_chars = optional_or(config, "tokenize_chinese_chars", true, source);
  options.strip_accents.reset();
  if (config.contains("strip_accents") && !config.at("strip_accents").is_null()) {
    options.strip_accents = required<bool>(config, "strip_accents", source);
  }
}

WordPieceOptions read_word_piece(const json& root, const std::string& source) {
  const json model = required<json>(root, "model", source);
  return {.vocabulary = parse_vocabulary(required<json>(model, "vocab", source), source),
          .unknown_token = optional_or(model, "unk_token", std::string("[UNK]"), source),
          .continuing_prefix = optional_or(model, "continuing_subword_prefix", std::string("##"), source),
          .max_characters_per_word = optional_or(model, "max_input_chars_per_word", std::int64_t{100}, source)};
}

Vocabulary read_vocabulary(const fs::path& path) {
  const std::string text = read_file(path);
  if (const auto invalid = find_invalid_utf8(text)) {
    throw input_error("{}: byte {} is not UTF-8; expected one token per line", path.string(), *invalid);
  }
  Vocabulary vocabulary;
  std::int32_t id = 0;
  for (std::size_t begin = 0; begin < text.size(); ++id) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string token = text.substr(begin, end - begin);
    if (token.ends_with('\r')) token.pop_back();
    vocabulary.insert_or_assign(std::move(token), id);
    begin = end + 1;
  }
  return vocabulary;
}

}  // namespace

TokenizerParts read_bert_json(const json& root, const std::string& source, SpecialTokenFiles files) {
  files.defaults = bert_special_tokens();
  BertOptions bert{.normalizer = read_normalizer(root, source), .word_piece = read_word_piece(root, source)};
  require_type(root, "pre_tokenizer", "BertPreTokenizer", source);
  apply_config(files.config, bert.normalizer);
  TokenizerParts parts{.pieces = std::move(bert)};
  read_common_parts(root, source, files, parts);
  return parts;
}

TokenizerParts read_vocab_txt(const std::filesystem::path& path, SpecialTokenFiles files) {
  const std::string type =
      optional_or(files.config, "tokenizer_class", std::string("BertTokenizer"), "tokenizer_config.json");
  if (!type.starts_with("BertTokenizer") && !type.starts_with("DistilBertTokenizer")) {
    throw input_error(
        "tokenizer_config.json beside {}: tokenizer_class is {}, expected BertTokenizer or "
        "DistilBertTokenizer",
        path.string(), type);
  }
  files.defaults = bert_special_tokens();
  BertOptions bert{
      .word_piece = {.vocabulary = read_vocabulary(path), .unknown_token = special_token(files, "unk_token")}};
  apply_config(files.config, bert.normalizer);
  TokenizerParts parts{.pieces = std::move(bert)};
  derive_common_parts(path.string(), files, bert_template, parts);
  return parts;
}

}  // namespace fedtune::text
