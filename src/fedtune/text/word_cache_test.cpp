#include "fedtune/text/word_cache.h"

#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fedtune::text {
namespace {

using ::testing::ElementsAre;

// Cuts a word into its length and says how often it was asked.
struct Counting {
  int calls = 0;
  void operator()(std::string_view word, std::vector<std::int32_t>& ids) {
    ++calls;
    ids.push_back(static_cast<std::int32_t>(word.size()));
  }
};

TEST(WordCache, CutsAWordOnce) {
  WordCache cache;
  Counting cut;
  std::vector<std::int32_t> ids{7};
  for (const char* word : {"film", "a", "film"}) cache.append(word, ids, cut);
  EXPECT_THAT(ids, ElementsAre(7, 4, 1, 4));
  EXPECT_EQ(cut.calls, 2);
}

TEST(WordCache, RemembersNoLongWord) {
  WordCache cache;
  Counting cut;
  std::vector<std::int32_t> ids;
  const std::string word(100, 'a');
  for (int i = 0; i < 2; ++i) cache.append(word, ids, cut);
  EXPECT_THAT(ids, ElementsAre(100, 100));
  EXPECT_EQ(cut.calls, 2);
}

TEST(WordCache, MoreWordsThanFitAreStillCut) {
  WordCache cache;
  Counting cut;
  std::vector<std::int32_t> ids;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 100'000; ++i) cache.append(std::to_string(i), ids, cut);
  }
  ASSERT_EQ(ids.size(), 200'000U);
  EXPECT_EQ(ids[0], 1);
  EXPECT_EQ(ids[99'999], 5);
  EXPECT_TRUE(std::equal(ids.begin(), ids.begin() + 100'000, ids.begin() + 100'000));
  EXPECT_LT(cut.calls, 200'000);
  EXPECT_GT(cut.calls, 150'000);
}

TEST(WordCache, ThreadsMayAskForTheSameWords) {
  WordCache cache;
  std::vector<std::thread> threads;
  std::vector<int> right(4);
  threads.reserve(right.size());
  for (int& count : right) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        const std::string word(static_cast<std::size_t>(i % 40 + 1), static_cast<char>('a' + i % 7));
        std::vector<std::int32_t> ids;
        cache.append(word, ids, Counting());
        count += ids == std::vector<std::int32_t>{i % 40 + 1} ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(right, ::testing::Each(5000));
}

}  // namespace
}  // namespace fedtune::text
