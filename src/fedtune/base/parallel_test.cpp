#include "fedtune/base/parallel.h"

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fedtune/base/error.h"

namespace fedtune {
namespace {

TEST(RunParallel, CallsEachJobOnceForAnyNumberOfWorkers) {
  for (const int workers : {1, 2, 8}) {
    std::vector<std::atomic<int>> calls(100);
    run_parallel({.count = calls.size(), .workers = workers}, [&](std::size_t index) { ++calls[index]; });
    for (const auto& count : calls) EXPECT_EQ(count, 1);
  }
}

TEST(RunParallel, DoesNothingWithoutJobs) {
  run_parallel({.count = 0, .workers = 4}, [](std::size_t) { FAIL() << "no job to call"; });
}

TEST(RunParallel, RethrowsTheExceptionOfTheLowestIndex) {
  // Job 0 throws only once job 1 has begun to, so both throw.
  std::atomic<bool> second_throws{false};
  const auto job = [&](std::size_t index) {
    if (index == 1) second_throws = true;
    while (!second_throws) {
    }
    throw std::runtime_error(std::to_string(index));
  };
  try {
    run_parallel({.count = 2, .workers = 2}, job);
    FAIL() << "expected an exception";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "0");
  }
}

TEST(RunParallel, BeginsNoJobAfterOneThrew) {
  int calls = 0;
  const auto job = [&](std::size_t) {
    ++calls;
    throw std::runtime_error("first");
  };
  EXPECT_THROW(run_parallel({.count = 10, .workers = 1}, job), std::runtime_error);
  EXPECT_EQ(calls, 1);
}

TEST(RunParallel, RefusesToRunWithoutWorkers) {
  EXPECT_THROW(run_parallel({.count = 1, .workers = 0}, [](std::size_t) {}), Error);
}

}  // namespace
}  // namespace fedtune
