#include "fedtune/nn/parallel.h"

#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "fedtune/nn/thread.h"

namespace fedtune::nn {
namespace {

// The threads that took part, after checking that each row was visited once.
std::set<std::thread::id> threads_of(int threads, std::int64_t rows, std::int64_t fewest) {
  const UseThreads use(threads);
  std::mutex mutex;
  std::set<std::thread::id> seen;
  std::vector<int> visits(static_cast<std::size_t>(rows));
  parallel_rows(rows, fewest, [&](std::int64_t first, std::int64_t last) {
    const std::scoped_lock lock(mutex);
    seen.insert(std::this_thread::get_id());
    for (std::int64_t row = first; row < last; ++row) ++visits[static_cast<std::size_t>(row)];
  });
  EXPECT_EQ(visits, std::vector<int>(static_cast<std::size_t>(rows), 1));
  return seen;
}

TEST(ParallelRows, UseAsManyThreadsAsAsked) {
  EXPECT_EQ(threads_of(1, 100, 10).size(), 1u);
  EXPECT_EQ(threads_of(2, 100, 10).size(), 2u);
  EXPECT_EQ(threads_of(3, 100, 10).size(), 3u);
}

TEST(ParallelRows, StayOnThisThreadWhereRowsAreFew) {
  EXPECT_EQ(threads_of(4, 10, 10), std::set{std::this_thread::get_id()});
}

}  // namespace
}  // namespace fedtune::nn
