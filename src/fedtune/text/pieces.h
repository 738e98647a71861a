// How a kind of tokenizer makes ids of ordinary text; everything around it (special tokens, truncation) is Tokenizer's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fedtune::text {

// Tokens as the files write them, and their ids.
using Vocabulary = std::map<std::string, std::int32_t>;

// Immutable; safe to use from several threads. Texts are valid UTF-8.
class Pieces {
 public:
  virtual ~Pieces() = default;

  // What is done to a text before tokens that users have added are looked for in it.
  virtual std::string normalized(std::string_view text) const = 0;
  // Appends the ids of a normalised text that holds no added token.
  virtual void append(std::string_view text, std::vector<std::int32_t>& ids) const = 0;
  virtual const Vocabulary& vocabulary() const = 0;
};

}  // namespace fedtune::text
