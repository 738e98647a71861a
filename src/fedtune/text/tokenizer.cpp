#include "fedtune/text/tokenizer.h"

#include <algorithm>
#include <limits>
#include <variant>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/sha256.h"
#include "fedtune/text/tokenizer_files.h"
#include "fedtune/text/unicode.h"

namespace fedtune::text {
namespace {

std::string hash_of_files(const std::vector<std::filesystem::path>& files) {
  Sha256 hash;
  for (const std::filesystem::path& file : files) {
    const std::string content = read_file(file);
    hash.update(fmt::format("{} {}\n", file.filename().string(), content.size())).update(content);
  }
  return hash.hex();
}

// The tokens sought in raw text (normalized = false) or in normalised text, there in their normalised form.
AddedTokens tokens_for(const TokenizerParts& parts, const Pieces& pieces, bool normalized) {
  std::vector<AddedToken> tokens;
  for (const AddedToken& token : parts.added_tokens) {
    if (token.normalized != normalized) continue;
    tokens.push_back(token);
    if (normalized) tokens.back().content = pieces.normalized(token.content);
  }
  return AddedTokens(std::move(tokens));
}

Vocabulary ids_of_tokens(const std::vector<AddedToken>& tokens) {
  Vocabulary ids;
  for (const AddedToken& token : tokens) ids.emplace(token.content, token.id);
  return ids;
}

struct PairLengths {
  std::int64_t first, second;
};

// What remains of two texts within `room` ids.
PairLengths longest_first(PairLengths lengths, std::int64_t room) {
  if (lengths.first + lengths.second <= room) return lengths;
  std::int64_t shorter = std::min(lengths.first, lengths.second);
  std::int64_t longer = std::max(shorter, room - shorter);  // the longer one alone is cut, where that is enough
  if (shorter + longer > room) {
    shorter = room / 2;
    longer = room - shorter;
  }
  return lengths.first <= lengths.second ? PairLengths{.first = shorter, .second = longer}
                                         : PairLengths{.first = longer, .second = shorter};
}

}  // namespace

class Tokenizer::Implementation {
 public:
  explicit Implementation(const TokenizerParts& parts)
      : pieces_(std::visit([](const auto& options) { return make_pieces(options); }, parts.pieces)),
        raw_tokens_(tokens_for(parts, *pieces_, false)),
        normalized_tokens_(tokens_for(parts, *pieces_, true)),
        added_(ids_of_tokens(parts.added_tokens)),
        around_(parts.around),
        pad_id_(parts.pad_id),
        vocab_size_(std::int64_t{largest_id(parts)} + 1),
        model_max_length_(parts.model_max_length),
        files_(parts.files),
        sha256_(hash_of_files(parts.files)) {}

  std::vector<std::int32_t> encode(std::string_view text, std::int64_t max_length) const {
    const std::int64_t room = room_within(max_length, around_.before.size() + around_.after.size());
    std::vector<std::int32_t> ids = around_.before;
    append(text, room, ids);
    ids.insert(ids.end(), around_.after.begin(), around_.after.end());
    return ids;
  }

  EncodedPair encode_pair(std::string_view first, std::string_view second, std::int64_t max_length) const {
    if (!around_.pair) {
      throw input_error("tokenising a pair of sentences: the tokenizer's post_processor has no usable template for it");
    }
    const PairTemplate& pair = *around_.pair;
    const std::int64_t room = room_within(max_length, pair.before.size() + pair.middle.size() + pair.after.size());
    std::vector<std::int32_t> a = ids_of(first);
    std::vector<std::int32_t> b = ids_of(second);
    const PairLengths kept = longest_first(
        {.first = static_cast<std::int64_t>(a.size()), .second = static_cast<std::int64_t>(b.size())}, room);
    a.resize(static_cast<std::size_t>(kept.first));
    b.resize(static_cast<std::size_t>(kept.second));

    EncodedPair encoded{.ids = pair.before};
    std::vector<std::int32_t>& ids = encoded.ids;
    ids.insert(ids.end(), a.begin(), a.end());
    ids.insert(ids.end(), pair.middle.begin(), pair.middle.end());
    const auto begin_of_second = static_cast<std::int64_t>(ids.size());
    ids.insert(ids.end(), b.begin(), b.end());
    ids.insert(ids.end(), pair.after.begin(), pair.after.end());
    encoded.type_1_from = pair.second_type == 1 ? begin_of_second : static_cast<std::int64_t>(ids.size());
    return encoded;
  }

  std::optional<std::string> first_other_token(const Implementation& other) const {
    for (const Vocabulary* tokens : {&pieces_->vocabulary(), &added_}) {
      for (const auto& [token, id] : *tokens) {
        if (other.id_of(token) != id) return token;
      }
    }
    return std::nullopt;
  }

  std::int32_t pad_id() const { return pad_id_; }
  std::int64_t vocab_size() const { return vocab_size_; }
  std::int64_t model_max_length() const { return model_max_length_; }
  const std::vector<std::filesystem::path>& files() const { return files_; }
  const std::string& sha256() const { return sha256_; }

 private:
  std::optional<std::int32_t> id_of(const std::string& token) const {
    for (const Vocabulary* tokens : {&pieces_->vocabulary(), &added_}) {
      if (const auto found = tokens->find(token); found != tokens->end()) return found->second;
    }
    return std::nullopt;
  }

  static std::int64_t room_within(std::int64_t max_length, std::size_t special_tokens) {
    const auto around = static_cast<std::int64_t>(special_tokens);
    if (max_length >= around) return max_length - around;
    throw usage_error("cutting a sentence to {} tokens: its special tokens alone are {}; allow more", max_length,
                      around);
  }

  // Appends at most `room` ids.
  void append(std::string_view text, std::int64_t room, std::vector<std::int32_t>& ids) const {
    if (const auto invalid = find_invalid_utf8(text)) {
      throw input_error("tokenising: byte {} of the sentence is not UTF-8; save the data as UTF-8", *invalid);
    }
    const std::size_t most = ids.size() + static_cast<std::size_t>(room);
    for (const TextPart& part : raw_tokens_.split(text)) {
      if (part.token != nullptr) {
        ids.push_back(part.token->id);
      } else {
        append_text(part.text, ids);
      }
    }
    if (ids.size() > most) ids.resize(most);
  }

  std::vector<std::int32_t> ids_of(std::string_view text) const {
    std::vector<std::int32_t> ids;
    append(text, std::numeric_limits<std::int32_t>::max(), ids);
    return ids;
  }

  void append_text(std::string_view text, std::vector<std::int32_t>& ids) const {
    const std::string normal = pieces_->normalized(text);
    for (const TextPart& part : normalized_tokens_.split(normal)) {
      if (part.token != nullptr) {
        ids.push_back(part.token->id);
      } else {
        pieces_->append(part.text, ids);
      }
    }
  }

  std::unique_ptr<const Pieces> pieces_;
  AddedTokens raw_tokens_, normalized_tokens_;
  Vocabulary added_;
  Template around_;
  std::int32_t pad_id_;
  std::int64_t vocab_size_;
  std::int64_t model_max_length_;
  std::vector<std::filesystem::path> files_;
  std::string sha256_;
};

Tokenizer::Tokenizer(std::shared_ptr<const Implementation> implementation)
    : implementation_(std::move(implementation)) {}

Tokenizer Tokenizer::load(const std::filesystem::path& folder) {
  return Tokenizer(std::make_shared<const Implementation>(read_tokenizer_files(folder)));
}

bool Tokenizer::is_in(const std::filesystem::path& folder) {
  return has_tokenizer_files(folder);
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, std::int64_t max_length) const {
  return implementation_->encode(text, max_length);
}

EncodedPair Tokenizer::encode_pair(std::string_view first, std::string_view second, std::int64_t max_length) const {
  return implementation_->encode_pair(first, second, max_length);
}

std::optional<std::string> Tokenizer::first_other_token(const Tokenizer& other) const {
  return implementation_->first_other_token(*other.implementation_);
}

std::int64_t Tokenizer::vocab_size() const {
  return implementation_->vocab_size();
}
std::int64_t Tokenizer::model_max_length() const {
  return implementation_->model_max_length();
}
std::int32_t Tokenizer::pad_id() const {
  return implementation_->pad_id();
}
const std::string& Tokenizer::sha256() const {
  return implementation_->sha256();
}
void Tokenizer::save(const std::filesystem::path& folder) const {
  for (const std::filesystem::path& file : implementation_->files())
    write_file_atomically(folder / file.filename(), read_file(file));
}

}  // namespace fedtune::text
