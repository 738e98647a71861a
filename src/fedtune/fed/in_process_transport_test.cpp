#include "fedtune/fed/in_process_transport.h"

#include <atomic>
#include <csignal>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/fed/toy_federation.h"

namespace fedtune::fed {
namespace {

using testing::ElementsAre;

const std::vector<int> ranks{1, 2, 3, 4};

// Runs until told to stop, as real training does between steps.
class EndlessTask : public LocalTask {
 public:
  Update train(const Instruction&, const std::function<bool()>& stop) override {
    ++running;
    while (!stop()) std::this_thread::sleep_for(std::chrono::microseconds(100));
    --running;
    throw Interrupted(SIGTERM);
  }
  std::atomic<int> running{0};
};

class InProcessTransportTest : public testing::Test {
 protected:
  void TearDown() override { set_interrupt_signal(0); }

  void exchange(LocalTask& task, int workers) {
    InProcessTransport(task, workers)
        .exchange(
            1, toy_tensors({0.0f, 1.0f}), ranks,
            [this](Update update) {
              threads.insert(std::this_thread::get_id());
              updated.insert(update.rank);
            },
            [this](int rank, const std::string& reason) {
              failures[rank] = reason;
              updated.erase(rank);
            });
  }

  std::set<int> updated;
  std::map<int, std::string> failures;
  std::set<std::thread::id> threads;
};

TEST_F(InProcessTransportTest, AsksEveryRankOnce) {
  for (const int workers : {1, 3, 16}) {
    ToyTask task;
    updated.clear();
    exchange(task, workers);
    EXPECT_THAT(updated, ElementsAre(1, 2, 3, 4));
  }
}

TEST_F(InProcessTransportTest, HandsContributionsOverOnTheCallingThread) {
  ToyTask task;
  exchange(task, 4);
  EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
}

TEST_F(InProcessTransportTest, TrainsAsManyClientsAtOnceAsThereAreWorkers) {
  std::atomic<int> at_once{0}, most{0};
  ToyTask task([&](const Instruction&, Update&) {
    const int now = ++at_once;
    int seen = most;
    while (now > seen && !most.compare_exchange_weak(seen, now)) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    --at_once;
  });
  exchange(task, 2);
  EXPECT_EQ(most, 2);
}

TEST_F(InProcessTransportTest, AClientThatThrowsIsReportedAndTheOthersGoOn) {
  ToyTask task([](const Instruction& instruction, Update&) {
    if (instruction.rank == 2) throw failed("no power");
    if (instruction.rank == 3) throw 3;
  });
  exchange(task, 2);
  EXPECT_THAT(updated, ElementsAre(1, 4));
  EXPECT_EQ(failures.at(2), "no power");
  EXPECT_EQ(failures.at(3), "an unknown exception");
}

TEST_F(InProcessTransportTest, ASignalEndsTheExchangeAfterEveryThreadHasStopped) {
  EndlessTask task;
  std::thread signal([&] {
    while (task.running < 2) std::this_thread::yield();
    set_interrupt_signal(SIGINT);
  });
  try {
    exchange(task, 2);
    ADD_FAILURE() << "expected Interrupted";
  } catch (const Interrupted& interrupted) {
    EXPECT_EQ(interrupted.signal(), SIGINT);
  }
  signal.join();
  EXPECT_EQ(task.running, 0);
}

TEST_F(InProcessTransportTest, AnInterruptedClientStopsTheOthers) {
  EndlessTask endless;
  class Mixed : public LocalTask {
   public:
    explicit Mixed(EndlessTask& endless) : endless_(endless) {}
    Update train(const Instruction& instruction, const std::function<bool()>& stop) override {
      if (instruction.rank == 1) return endless_.train(instruction, stop);
      while (endless_.running == 0) std::this_thread::yield();
      throw Interrupted(SIGTERM);
    }

   private:
    EndlessTask& endless_;
  } task(endless);
  EXPECT_THROW(exchange(task, 2), Interrupted);
  EXPECT_EQ(endless.running, 0);
}

TEST_F(InProcessTransportTest, AnErrorOfTheReceiverStopsTheClients) {
  ToyTask task;
  EXPECT_THROW(
      InProcessTransport(task, 2).exchange(
          1, toy_tensors({0.0f}), ranks, [](Update) { throw failed("disk full"); }, [](int, const std::string&) {}),
      Error);
}

TEST_F(InProcessTransportTest, NeedsAWorker) {
  ToyTask task;
  EXPECT_THROW(InProcessTransport(task, 0), Error);
}

}  // namespace
}  // namespace fedtune::fed
