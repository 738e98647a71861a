#include "fedtune/text/tokenizer_files.h"

#include <algorithm>

#include "fedtune/base/error.h"
#include "fedtune/format/json_file.h"

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

// The model's type; files of the library's first years leave it out.
std::string type_of_model(const json& root, const std::string& source) {
  const json model = root.value("model", json());
  if (!model.is_object())
    throw input_error("{}: found no model, expected a tokenizer as transformers saves it", source);
  const char* const implied = model.contains("merges")                     ? "BPE"
                              : model.contains("max_input_chars_per_word") ? "WordPiece"
                                                                           : "none";
  return model.value("type", std::string(implied));
}

TokenizerParts read_tokenizer_json(const fs::path& path, const SpecialTokenFiles& files) {
  const std::string source = path.string();
  const json root = load_object_if_there(path);
  const std::string type = type_of_model(root, source);
  if (type == "WordPiece") return read_bert_json(root, source, files);
  if (type == "BPE") return read_byte_level_json(root, source, files);
  throw input_error("{}: model is \"{}\", expected \"WordPiece\" (as BERT has it) or \"BPE\" (as RoBERTa has it)",
                    source, type);
}

std::int64_t read_model_max_length(const json& config) {
  const json value = config.value("model_max_length", json());
  constexpr double none = 1e15;  // folders without a limit hold about 1e30
  if (!value.is_number() || value.get<double>() >= none) return std::numeric_limits<std::int64_t>::max();
  const double length = value.get<double>();
  if (length < 2) throw input_error("tokenizer_config.json: model_max_length is {}, expected 2 or more", length);
  return static_cast<std::int64_t>(length);
}

TokenizerParts read_parts(const fs::path& folder, const SpecialTokenFiles& files) {
  if (fs::exists(folder / "tokenizer.json")) return read_tokenizer_json(folder / "tokenizer.json", files);
  if (fs::exists(folder / "vocab.txt")) return read_vocab_txt(folder / "vocab.txt", files);
  if (has_tokenizer_files(folder)) return read_vocab_and_merges(folder, files);
  throw input_error(
      "loading a tokenizer: {} holds neither tokenizer.json nor vocab.txt nor vocab.json with merges.txt; give a "
      "Hugging "
      "Face folder that does",
      folder.string());
}

// A model has a row of weights for each id up to the largest token's, and for no other.
void require_ids(const TokenizerParts& parts, const fs::path& folder) {
  for (const AddedToken& token : parts.added_tokens) {
    if (token.id < 0) {
      throw input_error("{}: the added token '{}' has the id {}, expected 0 or more", folder.string(), token.content,
                        token.id);
    }
  }
  const std::int32_t largest = largest_id(parts);
  const PairTemplate pair = parts.around.pair.value_or(PairTemplate{});
  for (const auto* ids : {&parts.around.before, &parts.around.after, &pair.before, &pair.middle, &pair.after}) {
    for (const std::int32_t id : *ids) {
      if (id >= 0 && id <= largest) continue;
      throw input_error("{}: the post_processor sets the id {} around a text, expected one of a token: 0 to {}",
                        folder.string(), id, largest);
    }
  }
}

TokenizerParts read_folder(const fs::path& folder) {
  const SpecialTokenFiles files{.config = load_object_if_there(folder / "tokenizer_config.json"),
                                .map = load_object_if_there(folder / "special_tokens_map.json"),
                                .added = load_object_if_there(folder / "added_tokens.json")};
  TokenizerParts parts = read_parts(folder, files);
  require_ids(parts, folder);
  parts.model_max_length = read_model_max_length(files.config);
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
                           "vocab.txt", "vocab.json", "merges.txt"}) {
    if (fs::exists(folder / name)) parts.files.push_back(folder / name);
  }
  return parts;
}

void take_added_tokens(const TokenTable& table, const SpecialTokenFiles& files, TokenizerParts& parts) {
  parts.added_tokens = table.tokens();
  parts.pad_id = table.id(special_token(files, "pad_token")).value_or(0);
}

}  // namespace

bool has_tokenizer_files(const fs::path& folder) {
  return fs::exists(folder / "tokenizer.json") || fs::exists(folder / "vocab.txt") ||
         (fs::exists(folder / "vocab.json") && fs::exists(folder / "merges.txt"));
}

Vocabulary parse_vocabulary(const json& object, const std::string& source) {
  if (!object.is_object()) {
    throw input_error("{}: the vocabulary is {}, expected an object of tokens and ids", source, object.type_name());
  }
  Vocabulary vocabulary;
  for (const auto& [token, id] : object.items()) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() > std::numeric_limits<std::int32_t>::max()) {
      throw input_error("{}: the vocabulary gives '{}' the id {}, expected 0 or more", source, token, id.dump());
    }
    vocabulary.emplace(token, id.get<std::int32_t>());
  }
  return vocabulary;
}

void require_type(const json& root, const std::string& key, const std::string& expected, const std::string& source) {
  const json& part = root.contains(key) ? root.at(key) : json();
  const std::string found = part.is_object() ? part.value("type", json("none")).dump() : "none";
  if (found == fmt::format("\"{}\"", expected)) return;
  throw input_error("{}: {} is {}, expected \"{}\": only the tokenizers of BERT and RoBERTa are supported", source, key,
                    found, expected);
}

const Vocabulary& vocabulary_of(const TokenizerParts& parts) {
  if (const auto* bert = std::get_if<BertOptions>(&parts.pieces)) return bert->word_piece.vocabulary;
  return std::get<ByteLevelOptions>(parts.pieces).byte_pair.vocabulary;
}

std::int32_t largest_id(const TokenizerParts& parts) {
  std::int32_t largest = 0;
  for (const auto& [token, id] : vocabulary_of(parts)) largest = std::max(largest, id);
  for (const AddedToken& token : parts.added_tokens) largest = std::max(largest, token.id);
  return largest;
}

void read_common_parts(const json& root, const std::string& source, const SpecialTokenFiles& files,
                       TokenizerParts& parts) {
  parts.around = read_post_processor(root, source);
  TokenTable table(vocabulary_of(parts));
  for (const json& entry : root.value("added_tokens", json::array())) {
    AddedToken token = parse_added_token(entry, source);
    token.id = required<std::int32_t>(entry, "id", source);
    table.add(std::move(token));
  }
  table.add_from(files);
  take_added_tokens(table, files, parts);
}

void derive_common_parts(const std::string& source, const SpecialTokenFiles& files,
                         Template (*frame)(const Delimiters&), TokenizerParts& parts) {
  TokenTable table(vocabulary_of(parts));
  table.add_from(files);
  const auto id_of = [&](const std::string& role) {
    const std::string token = special_token(files, role);
    if (const auto id = table.id(token)) return *id;
    throw input_error("{}: the {} '{}' is not among its {} tokens", source, role, token, vocabulary_of(parts).size());
  };
  parts.around = frame({.cls = id_of("cls_token"), .sep = id_of("sep_token")});
  take_added_tokens(table, files, parts);
}

TokenizerParts read_tokenizer_files(const fs::path& folder) {
  try {
    return read_folder(folder);
  } catch (const json::exception& error) {
    throw input_error("loading the tokenizer of {}: {}; the files are not as transformers writes them", folder.string(),
                      error.what());
  }
}

}  // namespace fedtune::text
