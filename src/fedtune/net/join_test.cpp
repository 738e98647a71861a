// Flower's wire on loopback, our client on one side and our server on the other. With Flower's own programs it is tried
// in tests/integration/test_flower.py.
#include <array>
#include <atomic>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/fed/board_transport.h"
#include "fedtune/fed/engine.h"
#include "fedtune/fed/in_process_transport.h"
#include "fedtune/fed/toy_federation.h"
#include "fedtune/format/tensor_hash.h"
#include "fedtune/net/join_client.h"
#include "fedtune/net/testing.h"

namespace fedtune::net {
namespace {

using fed::ToyTask;
using ::testing::HasSubstr;

constexpr int joining = 3;
const fed::EngineOptions joined_run{.rounds = 2, .clients = joining, .seed = fed::toy_seed};

// A client on Flower's wire to the end of the run; what it threw, if anything.
std::future<std::string> join(Server& server, ClientOptions options, ToyTask::Behaviour behaviour = {}) {
  options.server = fmt::format("127.0.0.1:{}", server.port());
  options.give_up = 20.0;
  return std::async(std::launch::async, [options, behaviour] {
    ToyTask task(behaviour);
    fed::ToyStrategy strategy;
    try {
      join_flower(options, {.task = task,
                            .layout = strategy.layout(),
                            .initial = [&] { return strategy.initial(); },
                            .evaluate = [&](const NamedTensors& global) { return strategy.evaluate(0, global); }});
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string();
  });
}

// Ranks are given in the order of arrival: each comes once the one before it is there.
std::vector<std::future<std::string>> join_in_order(Server& server, const ToyTask::Behaviour& behaviour = {}) {
  std::vector<std::future<std::string>> joined;
  for (int rank = 1; rank <= joining; ++rank) {
    joined.push_back(join(server, {.rank = rank}, behaviour));
    const auto late = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    EXPECT_TRUE(server.board().await_present(std::array{rank}, 1, late)) << rank;
  }
  return joined;
}

TEST(Join, GivesTheBitsOfTheSimulation) {
  const auto server = serve_toy(joining);
  auto joined = join_in_order(*server);
  const std::string hash = final_sha256(play_toy(*server, joined_run).global);
  for (auto& one : joined) EXPECT_EQ(one.get(), "");

  ToyTask task;
  fed::ToyStrategy strategy;
  fed::InProcessTransport transport(task, 1);
  EXPECT_EQ(hash, final_sha256(fed::Engine(joined_run, {.strategy = strategy, .transport = transport}).run().global));
}

TEST(Join, LeavesOutAClientWhoseArraysAreOthersAndKeepsIt) {
  const auto server = serve_toy(joining);
  auto joined = join_in_order(*server, [](const auto& asked, fed::Update& update) {
    if (asked.rank == 2 && asked.round == 1) update.tensors = fed::toy_tensors({1, 2, 3});
  });
  const fed::RunOutcome run = play_toy(*server, joined_run);
  ASSERT_EQ(run.history[1].refused.size(), 1u);
  EXPECT_EQ(run.history[1].refused[0].rank, 2);
  EXPECT_THAT(run.history[1].refused[0].reason, HasSubstr("array 1 is [3] of F32, expected w, [1000] of F32"));
  EXPECT_EQ(run.history[2].accepted.size(), 3u);
  for (auto& one : joined) EXPECT_EQ(one.get(), "");
}

TEST(Join, HandsOnWhyAClientFails) {
  const auto server = serve_toy(joining);
  auto joined = join_in_order(*server, [](const auto& asked, auto&) {
    if (asked.rank == 3) throw std::runtime_error("no such sentences");
  });
  const fed::RunOutcome run = play_toy(*server, joined_run);
  EXPECT_THAT(run.history[2].refused.at(0).reason, HasSubstr("no such sentences"));
  for (auto& one : joined) EXPECT_EQ(one.get(), "");
}

TEST(Join, HasNoPlaceForOneTooMany) {
  const auto server = serve_toy(joining);
  auto joined = join_in_order(*server);
  ClientOptions options{.rank = 4};
  std::promise<std::string> reason;
  options.watch.on_lost = [&, told = false](const std::string& text) mutable {
    if (!std::exchange(told, true)) reason.set_value(text);
  };
  std::atomic<bool> stop{false};
  options.stop = [&] { return stop.load(); };
  auto fourth = join(*server, options);
  EXPECT_THAT(reason.get_future().get(), HasSubstr("every client of this run is there already"));
  stop = true;
  EXPECT_EQ(fourth.get(), "interrupted");
  play_toy(*server, joined_run);
  for (auto& one : joined) EXPECT_EQ(one.get(), "");
}

TEST(Join, GivesThePlaceOfAClientThatDisconnectsToTheNext) {
  const auto server = serve_toy(joining);
  std::atomic<bool> stop{false};
  ClientOptions leaving{.rank = 1};
  leaving.stop = [&] { return stop.load(); };
  auto first = join(*server, leaving);
  const auto late = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  EXPECT_TRUE(server->board().await_present(std::array{1}, 1, late));
  stop = true;
  EXPECT_EQ(first.get(), "interrupted");
  while (!server->board().present().empty()) std::this_thread::yield();
  auto joined = join_in_order(*server);
  EXPECT_EQ(play_toy(*server, joined_run).history[2].accepted.size(), 3u);
  for (auto& one : joined) EXPECT_EQ(one.get(), "");
}

}  // namespace
}  // namespace fedtune::net
