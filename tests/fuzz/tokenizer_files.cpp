// A folder of a tokenizer's files, one part each; a part `text` is then tokenised, twice as a pair where there are two.
#include <algorithm>
#include <array>

#include "support.h"

#include "fedtune/text/tokenizer.h"

namespace {

constexpr std::array<std::string_view, 7> names{"tokenizer.json",
                                                "tokenizer_config.json",
                                                "special_tokens_map.json",
                                                "added_tokens.json",
                                                "vocab.txt",
                                                "vocab.json",
                                                "merges.txt"};

void require_ids(const fedtune::text::Tokenizer& tokenizer, const std::vector<std::int32_t>& ids) {
  fedtune::fuzz::require(
      std::ranges::all_of(ids, [&](std::int32_t id) { return id >= 0 && id < tokenizer.vocab_size(); }),
      "every id is from 0 to vocab_size");
}

}  // namespace

FEDTUNE_FUZZ_TARGET(tokenizer_files) {
  using namespace fedtune;
  static const fuzz::Scratch scratch;
  scratch.clear();
  std::vector<std::string_view> texts;
  for (const fuzz::Part& part : fuzz::parts_of(fuzz::text_of(data, size))) {
    if (part.name == "text") texts.push_back(part.content);
    if (std::ranges::count(names, part.name) > 0) scratch.write(std::string(part.name), part.content);
  }
  const auto tokenizer = fuzz::accepted([&] { return text::Tokenizer::load(scratch.folder()); });
  if (!tokenizer) return 0;
  fuzz::require(tokenizer->pad_id() >= 0 && tokenizer->pad_id() < tokenizer->vocab_size(), "so is the padding's");
  constexpr std::int64_t max_length = 64;
  for (const std::string_view text : texts) {
    const auto ids = fuzz::accepted([&] { return tokenizer->encode(text, max_length); });
    if (!ids) continue;
    fuzz::require(std::ssize(*ids) <= max_length, "no sentence is longer than asked for");
    require_ids(*tokenizer, *ids);
    const auto pair = fuzz::accepted([&] { return tokenizer->encode_pair(texts.front(), text, max_length); });
    if (!pair) continue;
    fuzz::require(std::ssize(pair->ids) <= max_length && pair->type_1_from <= std::ssize(pair->ids), "nor is a pair");
    require_ids(*tokenizer, pair->ids);
  }
  return 0;
}
