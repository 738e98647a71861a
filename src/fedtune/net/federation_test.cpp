// The whole way over gRPC on loopback, with a federation of a few numbers.
#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/fed/board_transport.h"
#include "fedtune/fed/engine.h"
#include "fedtune/fed/in_process_transport.h"
#include "fedtune/fed/toy_federation.h"
#include "fedtune/format/tensor_hash.h"
#include "fedtune/net/client.h"
#include "fedtune/net/testing.h"

namespace fedtune::net {
namespace {

using fed::ToyTask;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr int clients = 4;
const fed::EngineOptions three_rounds{.rounds = 3, .clients = clients, .seed = fed::toy_seed};

Announcement announcement() {
  return {.run = "toy", .options = "seed = 5\n", .layout = fed::ToyStrategy().layout(), .version = "test"};
}

std::string simulated_hash() {
  ToyTask task;
  fed::ToyStrategy strategy;
  fed::InProcessTransport transport(task, 2);
  return final_sha256(fed::Engine(three_rounds, {.strategy = strategy, .transport = transport}).run().global);
}

ClientOptions client_options(const Server& server, int rank) {
  return {.server = fmt::format("127.0.0.1:{}", server.port()), .rank = rank, .give_up = 20.0, .version = "test"};
}

// A client from enrolment to the end of the run; what it threw, if anything.
class ClientThread {
 public:
  explicit ClientThread(const ClientOptions& options, ToyTask::Behaviour behaviour = {})
      : task_(std::move(behaviour)), ended_(std::async(std::launch::async, [this, options] {
          try {
            Client client(options);
            client.enrol();
            client.serve(task_);
          } catch (const std::exception& error) {
            return std::string(error.what());
          }
          return std::string();
        })) {}

  std::string outcome() { return ended_.get(); }
  bool ends_within(std::chrono::milliseconds time) const { return ended_.wait_for(time) == std::future_status::ready; }

 private:
  ToyTask task_;
  std::future<std::string> ended_;
};

struct Outcome {
  fed::RunOutcome run;
  std::string hash;
};

Outcome play(Server& server, fed::TransportOptions options = {}) {
  Outcome outcome{.run = play_toy(server, three_rounds, std::move(options)), .hash = {}};
  outcome.hash = final_sha256(outcome.run.global);
  return outcome;
}

TEST(Federation, OverTheNetworkGivesTheBitsOfTheSimulation) {
  Server server({.address = "127.0.0.1:0", .clients = clients}, announcement());
  std::vector<std::unique_ptr<ClientThread>> threads;
  for (int rank = clients; rank >= 1; --rank) {
    threads.push_back(std::make_unique<ClientThread>(client_options(server, rank)));
  }
  EXPECT_EQ(play(server).hash, simulated_hash());
  for (auto& thread : threads) EXPECT_EQ(thread->outcome(), "");
}

TEST(Federation, OfManyClientsInOneProcessWhichShareAConnection) {
  constexpr int many = 40;
  Server server({.address = "127.0.0.1:0", .clients = many}, announcement());
  std::vector<std::unique_ptr<ClientThread>> threads;
  for (int rank = 1; rank <= many; ++rank) {
    threads.push_back(std::make_unique<ClientThread>(client_options(server, rank)));
  }
  fed::ToyStrategy strategy;
  fed::BoardTransport transport(server.board(), {.wait = 20.0});
  const fed::RunOutcome outcome =
      fed::Engine({.rounds = 2, .clients = many}, {.strategy = strategy, .transport = transport}).run();
  EXPECT_EQ(outcome.history.back().accepted.size(), static_cast<std::size_t>(many));
  server.finish(10.0);
  for (auto& thread : threads) EXPECT_EQ(thread->outcome(), "");
}

TEST(Federation, WaitsForTheWholeCohortUnlessToldOtherwise) {
  Server server({.address = "127.0.0.1:0", .clients = clients}, announcement());
  fed::ToyStrategy strategy;
  fed::BoardTransport transport(server.board(), {.wait = 0.2});
  ClientThread one(client_options(server, 1));
  try {
    fed::Engine(three_rounds, {.strategy = strategy, .transport = transport}).run();
    FAIL() << "ran without its clients";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::network);
    EXPECT_THAT(error.what(), HasSubstr("have not come within 0.2 s"));
  }
  server.finish(10.0);
  EXPECT_EQ(one.outcome(), "");
}

TEST(Federation, GoesOnWithoutAClientThatFailsAndTakesItInAgain) {
  Server server({.address = "127.0.0.1:0", .clients = clients}, announcement());
  std::vector<std::unique_ptr<ClientThread>> threads;
  for (int rank = 1; rank <= clients; ++rank) {
    threads.push_back(std::make_unique<ClientThread>(client_options(server, rank), [](const auto& asked, auto&) {
      if (asked.rank == 2 && asked.round == 2) throw std::runtime_error("the disk is full");
    }));
  }
  const Outcome outcome = play(server);
  ASSERT_EQ(outcome.run.history[2].refused.size(), 1u);
  EXPECT_THAT(outcome.run.history[2].refused[0].reason, HasSubstr("the disk is full"));
  EXPECT_EQ(outcome.run.history[3].accepted.size(), 4u);
  for (auto& thread : threads) EXPECT_EQ(thread->outcome(), "");
}

TEST(Federation, ClosesARoundAtItsDeadlineAndRefusesWhatComesLater) {
  Server server({.address = "127.0.0.1:0", .clients = clients}, announcement());
  std::promise<void> closed, refused;
  std::vector<std::unique_ptr<ClientThread>> threads;
  const std::shared_future<void> is_closed = closed.get_future().share();
  for (int rank = 1; rank <= clients; ++rank) {
    ClientOptions options = client_options(server, rank);
    options.watch.on_refused = [&](int, const std::string&) { refused.set_value(); };
    threads.push_back(std::make_unique<ClientThread>(options, [is_closed](const auto& asked, auto&) {
      if (asked.rank == 3 && asked.round == 1) is_closed.wait();
    }));
  }
  fed::ToyStrategy strategy;
  fed::BoardTransport transport(server.board(), {.min_clients = 3, .round_timeout = 3.0});
  fed::Observer observer{.on_refused = [&](int, const fed::Refusal& refusal) {
    EXPECT_EQ(refusal.rank, 3);
    EXPECT_THAT(refusal.reason, HasSubstr("has not answered within 3 s"));
    closed.set_value();
  }};
  fed::EngineOptions one_round = three_rounds;
  one_round.rounds = 1;
  const fed::RunOutcome run = fed::Engine(one_round, {.strategy = strategy, .transport = transport}, observer).run();
  EXPECT_EQ(run.history[1].accepted.size(), 3u);
  refused.get_future().wait();  // what the third client sends after all
  EXPECT_TRUE(server.board().await_present(std::array{3}, 1, std::chrono::steady_clock::now() + std::chrono::hours(1)));
  server.finish(10.0);
  for (auto& thread : threads) EXPECT_EQ(thread->outcome(), "");
}

TEST(Federation, RefusesARankThatTheRunHasNot) {
  Server server({.address = "127.0.0.1:0", .clients = clients}, announcement());
  Client client(client_options(server, 5));
  try {
    client.enrol();
    FAIL() << "enrolled";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::network);
    EXPECT_THAT(error.what(), HasSubstr("rank 5 was asked for; this run has clients 1 to 4"));
  }
}

TEST(Federation, GivesUpOnAServerThatIsNotThere) {
  std::string address;
  {
    Server server({.address = "127.0.0.1:0", .clients = clients}, announcement());
    address = fmt::format("127.0.0.1:{}", server.port());
  }
  Client client({.server = address, .rank = 1, .give_up = 0.3});
  try {
    client.enrol();
    FAIL() << "enrolled";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::network);
    EXPECT_THAT(error.what(), HasSubstr("was not reached for 0.3 s"));
  }
}

TEST(Federation, StopsAWaitingClientThatIsInterrupted) {
  Server server({.address = "127.0.0.1:0", .clients = clients}, announcement());
  std::atomic<bool> stop{false};
  ClientOptions options = client_options(server, 1);
  options.stop = [&] { return stop.load(); };
  ClientThread thread(options);
  EXPECT_TRUE(server.board().await_present(std::array{1}, 1, std::chrono::steady_clock::now() + std::chrono::hours(1)));
  stop = true;
  EXPECT_EQ(thread.outcome(), "interrupted");
}

// Which of the two depends on who waits when the other enrols.
TEST(Federation, LeavesOneOfTwoClientsWithTheSameRank) {
  Server server({.address = "127.0.0.1:0", .clients = clients}, announcement());
  std::atomic<bool> stop{false};
  ClientOptions options = client_options(server, 1);
  options.stop = [&] { return stop.load(); };
  ClientThread first(options), second(options);
  while (!first.ends_within(std::chrono::milliseconds(20)) && !second.ends_within(std::chrono::milliseconds(20))) {
  }
  stop = true;
  const std::array outcomes{first.outcome(), second.outcome()};
  EXPECT_THAT(outcomes, UnorderedElementsAre(HasSubstr("another program has enrolled under this rank"), "interrupted"));
}

TEST(Federation, RefusesAPortThatIsTaken) {
  Server server({.address = "127.0.0.1:0", .clients = clients}, announcement());
  try {
    Server another({.address = fmt::format("127.0.0.1:{}", server.port()), .clients = clients}, announcement());
    FAIL() << "two listen on one port";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("is the port taken?"));
  }
}

}  // namespace
}  // namespace fedtune::net
