#include "fedtune/text/byte_pair.h"

#include <queue>

#include "fedtune/base/error.h"
#include "fedtune/text/byte_level.h"
#include "fedtune/text/unicode.h"

namespace fedtune::text {
namespace {

// A piece of the word in a list linked by places; a piece that was merged into the one before it is of id `gone`.
struct Piece {
  std::int32_t id;
  std::int32_t before;
  std::int32_t after;
};
constexpr std::int32_t gone = -1;
constexpr std::int32_t none = -1;

// A merge of the pieces at `place` and behind it that was possible when it was noted down.
struct Candidate {
  std::int32_t rank;
  std::int32_t place;
  std::int32_t id;

  // The earliest merge comes first, of equal ones the leftmost.
  bool operator<(const Candidate& other) const { return rank != other.rank ? rank > other.rank : place > other.place; }
};

std::uint64_t key_of(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32U | static_cast<std::uint32_t>(right);
}

}  // namespace

BytePair::BytePair(BytePairOptions options) : vocabulary_(std::move(options.vocabulary)) {
  const std::int32_t unknown = options.unknown_token ? id_of(*options.unknown_token, "unknown token") : gone;
  const std::array<char32_t, 256> characters = byte_characters();
  for (std::size_t byte = 0; byte < characters.size(); ++byte) {
    const auto found = vocabulary_.find(encode_utf8({&characters[byte], 1}));
    byte_ids_[byte] = found == vocabulary_.end() ? unknown : found->second;
  }
  std::int32_t rank = 0;
  merges_.reserve(options.merges.size());
  for (const auto& [left, right] : options.merges) {
    const std::uint64_t key = key_of(id_of(left, "merged token"), id_of(right, "merged token"));
    merges_.insert_or_assign(key, Merge{.rank = rank++, .id = id_of(left + right, "merge's token")});
  }
}

std::int32_t BytePair::id_of(const std::string& token, std::string_view what) const {
  if (const auto found = vocabulary_.find(token); found != vocabulary_.end()) return found->second;
  throw input_error("the vocabulary of {} tokens lacks the {} '{}'", vocabulary_.size(), what, token);
}

const BytePair::Merge* BytePair::merge_of(std::int32_t left, std::int32_t right) const {
  const auto found = merges_.find(key_of(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void BytePair::append_word(std::string_view word, std::vector<std::int32_t>& ids) const {
  std::vector<Piece> pieces;
  pieces.reserve(word.size());
  for (const char c : word) {
    const std::int32_t id = byte_ids_[static_cast<unsigned char>(c)];
    const auto place = static_cast<std::int32_t>(pieces.size());
    if (id != gone) pieces.push_back({.id = id, .before = place - 1, .after = place + 1});
  }
  if (pieces.empty()) return;
  pieces.back().after = none;

  std::vector<Candidate> storage;
  storage.reserve(pieces.size());
  std::priority_queue<Candidate> queue({}, std::move(storage));
  const auto note = [&](std::int32_t place) {
    const std::int32_t after = pieces[static_cast<std::size_t>(place)].after;
    if (after == none) return;
    const Merge* merge =
        merge_of(pieces[static_cast<std::size_t>(place)].id, pieces[static_cast<std::size_t>(after)].id);
    if (merge != nullptr) queue.push({.rank = merge->rank, .place = place, .id = merge->id});
  };
  for (std::size_t place = 0; place + 1 < pieces.size(); ++place) note(static_cast<std::int32_t>(place));

  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Piece& left = pieces[static_cast<std::size_t>(best.place)];
    if (left.id == gone || left.after == none) continue;
    Piece& right = pieces[static_cast<std::size_t>(left.after)];
    const Merge* merge = merge_of(left.id, right.id);
    if (merge == nullptr || merge->id != best.id) continue;  // one of the two has been merged meanwhile

    left.id = best.id;
    left.after = right.after;
    right.id = gone;
    if (left.after != none) pieces[static_cast<std::size_t>(left.after)].before = best.place;
    if (left.before != none) note(left.before);
    note(best.place);
  }
  for (std::int32_t place = 0; place != none; place = pieces[static_cast<std::size_t>(place)].after) {
    ids.push_back(pieces[static_cast<std::size_t>(place)].id);
  }
}

}  // namespace fedtune::text
