// Any text, by a WordPiece and a byte-level tokenizer whose vocabularies hold a bit of everything.
#include <algorithm>

#include "support.h"

#include "fedtune/text/tokenizer.h"

namespace {

using fedtune::text::Tokenizer;

Tokenizer word_piece() {
  const fedtune::fuzz::Scratch scratch;
  scratch.write(
      "vocab.txt",
      "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##a\nab\n##b\nthe\n##ing\n!\n,\n\xc3\xa9\n\xe4\xb8\xad\n##\xcc\x81\n");
  return Tokenizer::load(scratch.folder());
}

Tokenizer byte_pairs() {
  const fedtune::fuzz::Scratch scratch;
  scratch.write("vocab.json",
                R"({"<s>":0,"<pad>":1,"</s>":2,"<unk>":3,"<mask>":4,"a":5,"b":6,"ab":7,"aa":8,"aab":9,"\u0120":10,)"
                R"("\u0120a":11,"\u00c3":12,"\u00a9":13,"\u00c3\u00a9":14,"'":15,"s":16,"'s":17,"1":18,"!":19})");
  scratch.write("merges.txt", "#version: 0.2\na b\na a\na ab\n\xc4\xa0 a\n\xc3\x83 \xc2\xa9\n' s\n");
  return Tokenizer::load(scratch.folder());
}

void tokenize(const Tokenizer& tokenizer, std::string_view text) {
  using namespace fedtune;
  constexpr std::int64_t long_enough = 1 << 20;
  const auto ids = fuzz::accepted([&] { return tokenizer.encode(text, long_enough); });
  if (!ids) return;
  fuzz::require(std::ranges::all_of(*ids, [&](std::int32_t id) { return id >= 0 && id < tokenizer.vocab_size(); }),
                "every id is from 0 to vocab_size");
  constexpr std::int64_t shorter = 7;
  const auto cut = tokenizer.encode(text, shorter);
  fuzz::require(std::ssize(cut) == std::min(shorter, std::ssize(*ids)), "a cut sentence is as long as asked for");
  fuzz::require(std::equal(cut.begin(), cut.end() - 1, ids->begin()), "and begins as the whole does");
  const std::size_t half = text.size() / 2;
  fuzz::accepted([&] { return tokenizer.encode_pair(text.substr(0, half), text.substr(half), shorter); });
}

}  // namespace

FEDTUNE_FUZZ_TARGET(tokenize) {
  static const Tokenizer words = word_piece();
  static const Tokenizer bytes = byte_pairs();
  tokenize(words, fedtune::fuzz::text_of(data, size));
  tokenize(bytes, fedtune::fuzz::text_of(data, size));
  return 0;
}
