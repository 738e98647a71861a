// Words that were cut before, and their ids: most of a text are words that return.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fedtune::text {

// Remembers up to `slots` words and never forgets one. Safe to use from several threads, none of which waits.
class WordCache {
 public:
  WordCache() : slots_(slots) {}
  ~WordCache() {
    for (auto& slot : slots_) delete slot.load(std::memory_order_relaxed);
  }
  WordCache(const WordCache&) = delete;
  WordCache& operator=(const WordCache&) = delete;

  // Appends the word's ids: those remembered, or what `cut(word, ids)` appends.
  template <typename Cut>
  void append(std::string_view word, std::vector<std::int32_t>& ids, Cut&& cut) {
    if (word.size() > longest_word) return cut(word, ids);
    std::atomic<const Entry*>& slot = slots_[std::hash<std::string_view>()(word) % slots];
    const Entry* known = slot.load(std::memory_order_acquire);
    if (known != nullptr && known->word == word) {
      ids.insert(ids.end(), known->ids.begin(), known->ids.end());
      return;
    }
    const auto before = static_cast<std::ptrdiff_t>(ids.size());
    cut(word, ids);
    if (known != nullptr) return;  // the slot is another word's
    auto entry = std::make_unique<const Entry>(Entry{std::string(word), {ids.begin() + before, ids.end()}});
    if (slot.compare_exchange_strong(known, entry.get(), std::memory_order_release, std::memory_order_relaxed)) {
      static_cast<void>(entry.release());  // the slot's now
    }
  }

 private:
  struct Entry {
    std::string word;
    std::vector<std::int32_t> ids;
  };
  static constexpr std::size_t slots = 1U << 15U;  // at most 5 MB with their words
  static constexpr std::size_t longest_word = 48;  // bytes

  std::vector<std::atomic<const Entry*>> slots_;
};

}  // namespace fedtune::text
