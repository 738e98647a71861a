#include "fedtune/text/tokenizer_files.h"

#include <algorithm>
#include <array>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/format/json_file.h"
#include "fedtune/text/special_tokens.h"
#include "fedtune/text/unicode.h"

namespace fedtune::text {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

json load_object_if_there(const fs::path& path) {
  if (!fs::exists(path)) return json::object();
  json object = load_json(path);
  if (!object.is_object()) throw input_error("{}: found {}, expected an object", path.string(), object.type_name());
  return object;
}

void require_type(const json& parent, const std::string& key, const std::string& expected, const std::string& source) {
  const json& part = parent.contains(key) ? parent.at(key) : json();
  const std::string found = part.is_object() ? part.value("type", json("none")).dump() : "none";
  if (found != fmt::format("\"{}\"", expected)) {
    throw input_error("{}: {} is {}, expected \"{}\": only BERT's WordPiece tokenizer is supported", source, key, found,
                      expected);
  }
}

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
  require_type(root, "model", "WordPiece", source);
  const json& model = root.at("model");
  WordPieceOptions options{
      .unknown_token = optional_or(model, "unk_token", std::string("[UNK]"), source),
      .continuing_prefix = optional_or(model, "continuing_subword_prefix", std::string("##"), source),
      .max_characters_per_word = optional_or(model, "max_input_chars_per_word", std::int64_t{100}, source)};
  const json vocabulary = required<json>(model, "vocab", source);
  for (const auto& [token, id] : vocabulary.items()) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() > std::numeric_limits<std::int32_t>::max()) {
      throw input_error("{}: the vocabulary gives '{}' the id {}, expected 0 or more", source, token, id.dump());
    }
    options.vocabulary.emplace(token, id.get<std::int32_t>());
  }
  return options;
}

// The ids of a template such as [CLS] $A [SEP], cut in two at $A.
void read_template(const json& processor, const std::string& source, TokenizerParts& parts) {
  const json specials = required<json>(processor, "special_tokens", source);
  bool seen_sequence = false;
  for (const json& piece : required<json>(processor, "single", source)) {
    if (piece.contains("Sequence")) {
      seen_sequence = true;
      continue;
    }
    const auto name = required<std::string>(required<json>(piece, "SpecialToken", source), "id", source);
    const auto ids = required<std::vector<std::int32_t>>(required<json>(specials, name, source), "ids", source);
    std::vector<std::int32_t>& side = seen_sequence ? parts.after : parts.before;
    side.insert(side.end(), ids.begin(), ids.end());
  }
}

// [CLS] $A [SEP] $B:1 [SEP]:1, cut at the two texts. A template that numbers token types otherwise is none of ours.
std::optional<PairTemplate> read_pair_template(const json& processor, const std::string& source) {
  if (!processor.contains("pair")) return std::nullopt;
  const json specials = required<json>(processor, "special_tokens", source);
  PairTemplate pair;
  std::vector<std::int32_t>* side = &pair.before;
  std::optional<std::int32_t> second_type;
  for (const json& piece : required<json>(processor, "pair", source)) {
    const json& part =
        piece.contains("Sequence") ? piece.at("Sequence") : required<json>(piece, "SpecialToken", source);
    const auto name = required<std::string>(part, "id", source);
    const auto type = required<std::int32_t>(part, "type_id", source);
    if (piece.contains("Sequence")) {
      if (name != (side == &pair.before ? "A" : "B")) return std::nullopt;
      side = side == &pair.before ? &pair.middle : &pair.after;
      if (name == "B") second_type = type;
    } else {
      const auto ids = required<std::vector<std::int32_t>>(required<json>(specials, name, source), "ids", source);
      side->insert(side->end(), ids.begin(), ids.end());
    }
    if (type != second_type.value_or(0)) return std::nullopt;
  }
  if (!second_type || *second_type < 0 || *second_type > 1) return std::nullopt;
  pair.second_type = *second_type;
  return pair;
}

// [CLS] A [SEP] B [SEP], the second text and its [SEP] of type 1.
PairTemplate bert_pair(const TokenizerParts& parts) {
  return {.before = parts.before, .middle = parts.after, .after = parts.after, .second_type = 1};
}

void read_post_processor(const json& root, const std::string& source, TokenizerParts& parts) {
  const json processor = root.value("post_processor", json());
  const std::string type = processor.is_object() ? processor.value("type", "none") : "none";
  if (type == "TemplateProcessing") {
    read_template(processor, source, parts);
    parts.pair = read_pair_template(processor, source);
  } else if (type == "BertProcessing") {
    parts.before = {processor.at("cls").at(1).get<std::int32_t>()};
    parts.after = {processor.at("sep").at(1).get<std::int32_t>()};
    parts.pair = bert_pair(parts);
  } else {
    throw input_error("{}: post_processor is \"{}\", expected \"TemplateProcessing\" or \"BertProcessing\"", source,
                      type);
  }
}

void read_tokenizer_json(const fs::path& path, const SpecialTokenFiles& files, TokenizerParts& parts) {
  const std::string source = path.string();
  const json root = load_object_if_there(path);
  parts.word_piece = read_word_piece(root, source);
  parts.normalizer = read_normalizer(root, source);
  require_type(root, "pre_tokenizer", "BertPreTokenizer", source);
  apply_config(files.config, parts.normalizer);
  read_post_processor(root, source, parts);
  TokenTable table(parts.word_piece.vocabulary);
  for (const json& entry : root.value("added_tokens", json::array())) {
    AddedToken token = parse_added_token(entry, source);
    token.id = required<std::int32_t>(entry, "id", source);
    table.add(std::move(token));
  }
  table.add_from(files);
  parts.added_tokens = table.tokens();
  parts.pad_id = table.id(special_token(files, "pad_token")).value_or(0);
}

std::map<std::string, std::int32_t> read_vocabulary(const fs::path& path) {
  const std::string text = read_file(path);
  if (const auto invalid = find_invalid_utf8(text)) {
    throw input_error("{}: byte {} is not UTF-8; expected one token per line", path.string(), *invalid);
  }
  std::map<std::string, std::int32_t> vocabulary;
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

void read_vocab_txt(const fs::path& path, const SpecialTokenFiles& files, TokenizerParts& parts) {
  const std::string type =
      optional_or(files.config, "tokenizer_class", std::string("BertTokenizer"), "tokenizer_config.json");
  if (!type.starts_with("BertTokenizer") && !type.starts_with("DistilBertTokenizer")) {
    throw input_error(
        "tokenizer_config.json beside {}: tokenizer_class is {}, expected BertTokenizer or "
        "DistilBertTokenizer",
        path.string(), type);
  }
  parts.word_piece = {.vocabulary = read_vocabulary(path), .unknown_token = special_token(files, "unk_token")};
  apply_config(files.config, parts.normalizer);
  TokenTable table(parts.word_piece.vocabulary);
  table.add_from(files);
  parts.added_tokens = table.tokens();
  const auto id_of = [&](const std::string& role) {
    const std::string token = special_token(files, role);
    if (const auto id = table.id(token)) return *id;
    throw input_error("{}: the {} '{}' is not among its {} tokens", path.string(), role, token,
                      parts.word_piece.vocabulary.size());
  };
  parts.before = {id_of("cls_token")};
  parts.after = {id_of("sep_token")};
  parts.pair = bert_pair(parts);
  parts.pad_id = table.id(special_token(files, "pad_token")).value_or(0);
}

std::int64_t read_model_max_length(const json& config) {
  const json value = config.value("model_max_length", json());
  constexpr double none = 1e15;  // folders without a limit hold about 1e30
  if (!value.is_number() || value.get<double>() >= none) return std::numeric_limits<std::int64_t>::max();
  const double length = value.get<double>();
  if (length < 2) throw input_error("tokenizer_config.json: model_max_length is {}, expected 2 or more", length);
  return static_cast<std::int64_t>(length);
}

TokenizerParts read_folder(const fs::path& folder) {
  TokenizerParts parts;
  for (const char* name :
       {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt"}) {
    if (fs::exists(folder / name)) parts.files.push_back(folder / name);
  }
  const SpecialTokenFiles files{.config = load_object_if_there(folder / "tokenizer_config.json"),
                                .map = load_object_if_there(folder / "special_tokens_map.json"),
                                .added = load_object_if_there(folder / "added_tokens.json")};
  if (fs::exists(folder / "tokenizer.json")) {
    read_tokenizer_json(folder / "tokenizer.json", files, parts);
  } else if (fs::exists(folder / "vocab.txt")) {
    read_vocab_txt(folder / "vocab.txt", files, parts);
  } else {
    throw input_error(
        "loading a tokenizer: {} holds neither tokenizer.json nor vocab.txt; give a Hugging Face folder "
        "that does",
        folder.string());
  }
  parts.model_max_length = read_model_max_length(files.config);
  return parts;
}

}  // namespace

TokenizerParts read_tokenizer_files(const fs::path& folder) {
  try {
    return read_folder(folder);
  } catch (const json::exception& error) {
    throw input_error("loading the tokenizer of {}: {}; the files are not as transformers writes them", folder.string(),
                      error.what());
  }
}

}  // namespace fedtune::text
