#include "fedtune/text/byte_level_pieces.h"

#include "fedtune/text/byte_level.h"
#include "fedtune/text/word_cache.h"

namespace fedtune::text {
namespace {

class ByteLevelPieces : public Pieces {
 public:
  explicit ByteLevelPieces(const ByteLevelOptions& options)
      : byte_pair_(options.byte_pair), add_prefix_space_(options.add_prefix_space) {}

  std::string normalized(std::string_view text) const override { return std::string(text); }
  void append(std::string_view text, std::vector<std::int32_t>& ids) const override {
    if (add_prefix_space_ && !text.starts_with(' ')) {
      append_words(" " + std::string(text), ids);
    } else {
      append_words(text, ids);
    }
  }
  const Vocabulary& vocabulary() const override { return byte_pair_.vocabulary(); }

 private:
  void append_words(std::string_view text, std::vector<std::int32_t>& ids) const {
    while (!text.empty()) {
      const std::string_view word = text.substr(0, first_word(text));
      cache_.append(word, ids, [this](std::string_view new_word, std::vector<std::int32_t>& to) {
        byte_pair_.append_word(new_word, to);
      });
      text.remove_prefix(word.size());
    }
  }

  BytePair byte_pair_;
  bool add_prefix_space_;
  mutable WordCache cache_;
};

}  // namespace

std::unique_ptr<const Pieces> make_pieces(const ByteLevelOptions& options) {
  return std::make_unique<const ByteLevelPieces>(options);
}

}  // namespace fedtune::text
