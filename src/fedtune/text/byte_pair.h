// Byte-pair encoding (Sennrich et al. 2016) over bytes: a word as what is left of its bytes when the neighbours that
// were merged first in training have been merged again.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fedtune/text/pieces.h"

namespace fedtune::text {

struct BytePairOptions {
  // Tokens written in byte_characters (byte_level.h), and what has been added to them.
  Vocabulary vocabulary = {};
  std::vector<std::pair<std::string, std::string>> merges = {};  // the earlier, the sooner
  // For a byte that the vocabulary lacks; without one such bytes are left out.
  std::optional<std::string> unknown_token = {};
};

// Immutable; safe to use from several threads.
class BytePair {
 public:
  // Throws Error(input) when the unknown token, a merge's parts or their sum are not in the vocabulary.
  explicit BytePair(BytePairOptions options);
  BytePair(const BytePair&) = delete;
  BytePair& operator=(const BytePair&) = delete;

  // Appends the ids of the word's pieces, in time n log n for n bytes.
  void append_word(std::string_view word, std::vector<std::int32_t>& ids) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  struct Merge {
    std::int32_t rank;
    std::int32_t id;  // of the sum
  };
  using Merges = std::unordered_map<std::uint64_t, Merge>;  // under both ids

  const Merge* merge_of(std::int32_t left, std::int32_t right) const;
  std::int32_t id_of(const std::string& token, std::string_view what) const;

  Vocabulary vocabulary_;
  Merges merges_;
  std::array<std::int32_t, 256> byte_ids_{};  // -1: left out
};

}  // namespace fedtune::text
