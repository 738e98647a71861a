// BERT's and RoBERTa's tokenizers as Hugging Face folders describe them: text in, vocabulary ids out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fedtune::text {

struct EncodedPair {
  std::vector<std::int32_t> ids;
  std::int64_t type_1_from = 0;  // ids from here on are of token type 1; ids.size() where none is
};

// Immutable after load; cheap to copy; safe to use from several threads.
class Tokenizer {
 public:
  // Reads `tokenizer.json`, or else `vocab.txt` (BERT), or else `vocab.json` and `merges.txt` (RoBERTa), with
  // `tokenizer_config.json` and `special_tokens_map.json` where they exist. The truncation and padding stored in
  // tokenizer.json are ignored. Throws Error(input) for missing or malformed files and for a tokenizer that is neither
  // BERT's WordPiece nor byte-level BPE.
  static Tokenizer load(const std::filesystem::path& folder);
  // Whether the folder holds files that load() would read.
  static bool is_in(const std::filesystem::path& folder);

  // [CLS] text [SEP], cut from the right to `max_length` ids in all. Special tokens that stand literally in the text
  // are recognised, as the reference does. Throws Error(input) when text is not UTF-8, Error(failed) when max_length
  // leaves no room for the special tokens.
  std::vector<std::int32_t> encode(std::string_view text, std::int64_t max_length) const;

  // [CLS] first [SEP] second [SEP], by the tokenizer's own template. Where that is more than `max_length` ids, the
  // longer text is cut from the right until both are of a length, then both alike, as the reference's "longest_first"
  // does. Throws as encode(), and Error(input) for a tokenizer that has no template for pairs.
  EncodedPair encode_pair(std::string_view first, std::string_view second, std::int64_t max_length) const;

  // The largest id + 1: what the model's vocab_size must reach.
  std::int64_t vocab_size() const;
  // tokenizer_config's model_max_length; a very large number where it sets none.
  std::int64_t model_max_length() const;
  std::int32_t pad_id() const;

  // The first token of this tokenizer, in the order of their bytes, that has no id or another one in `other`: a model
  // made for `other` reads it as something else.
  std::optional<std::string> first_other_token(const Tokenizer& other) const;

  // SHA-256, in hex, over the files read: name, size and bytes of each.
  const std::string& sha256() const;
  // Copies the files it was read from, and those beside them that describe it, into the folder of a saved model. Throws
  // what read_file and write_file_atomically throw.
  void save(const std::filesystem::path& folder) const;

 private:
  class Implementation;
  explicit Tokenizer(std::shared_ptr<const Implementation> implementation);
  std::shared_ptr<const Implementation> implementation_;
};

}  // namespace fedtune::text
