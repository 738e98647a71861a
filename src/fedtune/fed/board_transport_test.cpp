// A federation over a board, with clients that are threads and no wire between.
#include "fedtune/fed/board_transport.h"

#include <array>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/random.h"
#include "fedtune/fed/engine.h"
#include "fedtune/fed/toy_federation.h"
#include "fedtune/format/tensor_hash.h"

namespace fedtune::fed {
namespace {

using ::testing::HasSubstr;

constexpr int clients = 4;
constexpr EngineOptions four_rounds{.rounds = 4, .clients = clients, .seed = toy_seed};

Layout layout() {
  return ToyStrategy().layout();
}

// What a client does to its contribution on the way: some are sent in two parts, some twice, some after a restart.
struct Mischief {
  std::uint64_t seed = 0;
  RandomStream at(int rank, std::uint32_t attempt) const {
    return RandomStream({.seed = seed, .rank = static_cast<std::uint32_t>(rank), .step = attempt});
  }
};

class ClientThread {
 public:
  ClientThread(Board& board, int rank, Mischief mischief)
      : board_(board), seat_{.rank = rank, .session = board.enrol(rank)}, mischief_(mischief), thread_([this] {
          while (serve()) {
          }
        }) {}

 private:
  bool serve() {
    std::promise<Answer> answered;
    board_.await(seat_, [&](const Answer& answer) { answered.set_value(answer); });
    const Answer answer = answered.get_future().get();
    const auto* errand = std::get_if<Errand>(&answer);
    if (errand == nullptr) return false;
    const Update update = task_.train({.round = errand->round, .rank = seat_.rank, .global = errand->global->tensors()},
                                      [] { return false; });
    RandomStream chance = mischief_.at(seat_.rank, ++attempts_);
    if (chance.below(4) == 0) {  // it is started anew before it has sent anything, and asked again
      seat_.session = board_.enrol(seat_.rank);
      return true;
    }
    send(*errand, update, chance);
    return true;
  }

  void send(const Errand& errand, const Update& update, RandomStream& chance) {
    const Payload payload(update.tensors);
    const std::size_t cut = chance.below(2) == 0 ? 0 : chance.below(static_cast<std::uint32_t>(payload.size()));
    board_.append(seat_, errand.nonce, 0, payload.pieces(0, payload.size()).front().first(cut));
    for (const auto piece : payload.pieces(board_.begin(seat_, errand.nonce), payload.size())) {
      board_.append(seat_, errand.nonce, board_.begin(seat_, errand.nonce), piece);
    }
    const Accompanying accompanying{.round = update.round, .weight = update.weight, .report = update.report};
    board_.complete(seat_, errand.nonce, accompanying);
    if (chance.below(2) == 0) {
      EXPECT_THROW(board_.complete(seat_, errand.nonce, accompanying), Rejected);  // a duplicate, or too late
    }
  }

  Board& board_;
  Seat seat_;
  Mischief mischief_;
  std::uint32_t attempts_ = 0;
  ToyTask task_;
  std::jthread thread_;  // last: joined before the rest goes
};

std::string hash_over_board(Mischief mischief) {
  Board board({.clients = clients, .layout = layout(), .spill = {.in_memory = 2 * toy_size * sizeof(float)}});
  std::vector<std::unique_ptr<ClientThread>> threads;
  for (int rank = 1; rank <= clients; ++rank) {
    threads.push_back(std::make_unique<ClientThread>(board, rank, mischief));
  }
  ToyStrategy strategy;
  BoardTransport transport(board, {});
  const RunOutcome outcome = Engine(four_rounds, {.strategy = strategy, .transport = transport}).run();
  board.finish();
  for (const RoundRecord& record : outcome.history) EXPECT_TRUE(record.refused.empty());
  return final_sha256(outcome.global);
}

TEST(BoardTransport, GivesTheSameBitsWhateverArrivesTwiceInPartsOrAfterARestart) {
  ToyTask task;
  ToyStrategy strategy;
  ScriptedTransport transport(task);
  const std::string expected =
      final_sha256(Engine(four_rounds, {.strategy = strategy, .transport = transport}).run().global);
  for (std::uint64_t seed = 0; seed < 25; ++seed) EXPECT_EQ(hash_over_board({seed}), expected) << "seed " << seed;
}

TEST(BoardTransport, SaysWhoIsMissingAndGivesUpWhenToldTo) {
  Board board({.clients = clients, .layout = layout()});
  board.enrol(3);
  std::vector<int> missing;
  BoardTransport transport(board, {.wait = 0.05, .on_waiting = [&](std::span<const int> ranks) {
                                     missing.assign(ranks.begin(), ranks.end());
                                   }});
  ToyStrategy strategy;
  try {
    Engine(four_rounds, {.strategy = strategy, .transport = transport}).run();
    FAIL() << "ran without its clients";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::network);
    EXPECT_THAT(error.what(), HasSubstr("clients 1, 2, 4 have not come within 0.05 s; 1 of 4 are there, 4 are needed"));
  }
  EXPECT_THAT(missing, testing::ElementsAre(1, 2, 4));
}

TEST(BoardTransport, WaitsForEveryoneUntilAllAreThereOrTheTimeIsOver) {
  Board board({.clients = 2, .layout = layout()});
  BoardTransport transport(board, {});
  EXPECT_FALSE(transport.has_asked());
  board.enrol(1);
  const auto begin = std::chrono::steady_clock::now();
  transport.await_everyone(0.05);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(50));
  const std::jthread late([&] { board.enrol(2); });
  transport.await_everyone(3600.0);
  EXPECT_THAT(board.present(), testing::ElementsAre(1, 2));
}

TEST(BoardTransport, NeedsTheContributionsItWasToldToHave) {
  Board board({.clients = clients, .layout = layout()});
  for (int rank = 1; rank <= clients; ++rank) board.enrol(rank);
  ToyStrategy strategy;
  BoardTransport transport(board, {.min_clients = 2, .round_timeout = 0.05, .wait = 0.05});
  EngineOptions two = four_rounds;
  two.fewest = 2;
  try {
    Engine(two, {.strategy = strategy, .transport = transport}).run();
    FAIL() << "nobody answered";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::network);
    EXPECT_THAT(error.what(), HasSubstr("have not come within"));  // all are absent once a round has closed
  }
}

}  // namespace
}  // namespace fedtune::fed
