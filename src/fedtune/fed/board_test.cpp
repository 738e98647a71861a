#include "fedtune/fed/board.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <functional>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/aggregate/test_tensors.h"
#include "fedtune/base/error.h"

namespace fedtune::fed {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Why = Rejected::Why;

constexpr std::array<int, 2> both{1, 2};
constexpr std::size_t bytes = 12;

class BoardTest : public ::testing::Test {
 protected:
  Board board{{.clients = 3, .layout = {{"w", DType::f32, {3}}}}};
  std::shared_ptr<const Payload> global = std::make_shared<Payload>(test_tensors({{"w", {3}, {1, 2, 3}}}));

  static std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }

  Seat seat(int rank) { return {.rank = rank, .session = board.enrol(rank)}; }
  // The errand that waits for the client; fails where there is none.
  Errand errand_of(const Seat& seat) {
    std::optional<Errand> errand;
    board.await(seat, [&](const Answer& answer) {
      if (const auto* given = std::get_if<Errand>(&answer)) errand = *given;
    });
    EXPECT_TRUE(errand.has_value());
    return errand.value_or(Errand{});
  }
  void send(const Seat& seat, const std::string& nonce) {
    board.append(seat, nonce, 0, Bytes(bytes));
    board.complete(seat, nonce, {.round = 1, .weight = 2.0});
  }
  template <typename Body>
  static Why refusal(Body&& body) {
    try {
      body();
    } catch (const Rejected& rejected) {
      return rejected.why();
    }
    ADD_FAILURE() << "accepted";
    return {};
  }
};

TEST_F(BoardTest, AsksTheCohortAloneAndDeliversWhatComesBack) {
  const Seat one = seat(1), three = seat(3);
  int asked = 0;
  board.await(three, [&](const Answer&) { ++asked; });
  board.open(1, global, both);
  const Errand errand = errand_of(one);
  EXPECT_EQ(errand.round, 1);
  EXPECT_EQ(errand.global, global);
  send(one, errand.nonce);
  const std::optional<Delivery> delivery = board.next(now());
  ASSERT_TRUE(delivery.has_value());
  const auto& update = std::get<Update>(*delivery);
  EXPECT_EQ(update.rank, 1);
  EXPECT_EQ(update.weight, 2.0);
  EXPECT_EQ(update.tensors.total_bytes(), bytes);
  EXPECT_FALSE(board.next(now()).has_value());
  EXPECT_EQ(asked, 0);
  EXPECT_THAT(board.close(), ElementsAre(2));
}

TEST_F(BoardTest, AsksAClientThatComesWhileTheRoundIsOpen) {
  board.open(1, global, both);
  EXPECT_EQ(errand_of(seat(2)).round, 1);
}

TEST_F(BoardTest, TakesOneContributionPerClientAndRound) {
  const Seat one = seat(1);
  board.open(1, global, both);
  const Errand errand = errand_of(one);
  send(one, errand.nonce);
  EXPECT_EQ(refusal([&] { send(one, errand.nonce); }), Why::complete);
  EXPECT_EQ(refusal([&] { board.begin(one, errand.nonce); }), Why::complete);
}

TEST_F(BoardTest, TakesNothingForARoundThatIsClosedOrAnAttemptBefore) {
  const Seat one = seat(1);
  board.open(1, global, both);
  const Errand errand = errand_of(one);
  board.close();
  EXPECT_EQ(refusal([&] { send(one, errand.nonce); }), Why::closed);
  board.open(1, global, both);
  EXPECT_EQ(refusal([&] { send(one, errand.nonce); }), Why::closed);
  EXPECT_NE(errand_of(one).nonce, errand.nonce);
}

TEST_F(BoardTest, KnowsTheLastSessionOfARankAlone) {
  const Seat before = seat(1);
  std::vector<std::size_t> answers;
  board.await(before, [&](const Answer& answer) { answers.push_back(answer.index()); });
  const Seat after = seat(1);
  EXPECT_THAT(answers, ElementsAre(Answer(Superseded{}).index()));
  EXPECT_EQ(refusal([&] { board.await(before, [](const Answer&) {}); }), Why::unknown_seat);
  EXPECT_EQ(refusal([&] { board.await({.rank = 2, .session = after.session}, [](const Answer&) {}); }),
            Why::unknown_seat);
  EXPECT_EQ(refusal([&] { board.await({.rank = 2, .session = ""}, [](const Answer&) {}); }), Why::unknown_seat);
  board.open(1, global, both);
  EXPECT_EQ(refusal([&] { board.await({.rank = 2, .session = ""}, [](const Answer&) {}); }), Why::unknown_seat);
}

TEST_F(BoardTest, HasNoRankOutsideTheRun) {
  for (const int rank : {0, 4, -1}) EXPECT_EQ(refusal([&] { board.enrol(rank); }), Why::malformed) << rank;
}

TEST_F(BoardTest, GoesOnWithAContributionThatWasCut) {
  const Seat one = seat(1);
  board.open(1, global, both);
  const Errand errand = errand_of(one);
  EXPECT_EQ(board.begin(one, errand.nonce), 0u);
  board.append(one, errand.nonce, 0, Bytes(5));
  EXPECT_EQ(board.begin(one, errand.nonce), 5u);
  EXPECT_EQ(refusal([&] { board.append(one, errand.nonce, 4, Bytes(1)); }), Why::malformed);
  EXPECT_EQ(refusal([&] { board.complete(one, errand.nonce, {}); }), Why::malformed);
  board.append(one, errand.nonce, 5, Bytes(7));
  board.complete(one, errand.nonce, {});
  EXPECT_TRUE(board.next(now()).has_value());
}

TEST_F(BoardTest, TakesNoMoreBytesThanAContributionHas) {
  const Seat one = seat(1);
  board.open(1, global, both);
  const Errand errand = errand_of(one);
  EXPECT_EQ(refusal([&] { board.append(one, errand.nonce, 0, Bytes(bytes + 1)); }), Why::malformed);
}

TEST_F(BoardTest, HandsADiskThatCannotBeWrittenToTheEngine) {
  Board full({.clients = 1, .layout = {{"w", DType::f32, {3}}}, .spill = {.folder = "/nowhere", .in_memory = 0}});
  const Seat one{.rank = 1, .session = full.enrol(1)};
  full.open(1, global, std::array{1});
  std::string nonce;
  full.await(one, [&](const Answer& answer) { nonce = std::get<Errand>(answer).nonce; });
  EXPECT_THROW(full.begin(one, nonce), Error);
  const std::optional<Delivery> delivery = full.next(now());
  ASSERT_TRUE(delivery.has_value());
  EXPECT_THROW(std::rethrow_exception(std::get<std::exception_ptr>(*delivery)), Error);
}

TEST_F(BoardTest, HandsOnWhyAClientDeclines) {
  const Seat one = seat(1);
  board.open(1, global, both);
  board.decline(one, errand_of(one).nonce, "no disk");
  const std::optional<Delivery> delivery = board.next(now());
  ASSERT_TRUE(delivery.has_value());
  EXPECT_THAT(std::get<Declined>(*delivery).reason, HasSubstr("no disk"));
}

// Records and checkpoints are JSON, and are written as long as the run lasts.
TEST_F(BoardTest, KeepsOfAClientsWordsWhatARecordMayHold) {
  const Seat one = seat(1);
  board.open(1, global, both);
  board.decline(one, errand_of(one).nonce, "values of type '<\xFF' " + std::string(1 << 20, 'x'));
  const std::optional<Delivery> delivery = board.next(now());
  ASSERT_TRUE(delivery.has_value());
  const std::string& reason = std::get<Declined>(*delivery).reason;
  EXPECT_THAT(reason, HasSubstr("values of type '<\xEF\xBF\xBD'"));
  EXPECT_LT(reason.size(), 1100u);
}

TEST_F(BoardTest, CountsAClientAsAbsentWhenItOwesAnAnswerOrItsCallIsGone) {
  const Seat one = seat(1), two = seat(2);
  EXPECT_THAT(board.present(), ElementsAre(1, 2));
  board.open(1, global, both);
  send(one, errand_of(one).nonce);
  board.close();
  EXPECT_THAT(board.present(), ElementsAre(1));
  const std::uint64_t ticket = board.await(two, [](const Answer&) {});
  EXPECT_THAT(board.present(), ElementsAre(1, 2));
  board.forget(ticket);
  EXPECT_THAT(board.present(), ElementsAre(1));
  EXPECT_FALSE(board.await_present(both, 2, now()));
  EXPECT_TRUE(board.await_present(both, 1, now()));
}

TEST_F(BoardTest, TellsWhoWaitsAndWhoAsksLaterThatTheRunIsOver) {
  const Seat one = seat(1), two = seat(2);
  int told = 0;
  const auto count = [&](const Answer& answer) { told += std::holds_alternative<RunOver>(answer) ? 1 : 0; };
  board.await(one, count);
  board.finish();
  EXPECT_EQ(told, 1);
  board.await(two, count);
  EXPECT_EQ(told, 2);
  board.await_told(now() + std::chrono::hours(1));  // returns at once
}

// A clock that stands still until somebody waits: then it jumps to the end of the waiting, unless `meanwhile` brings
// about what is waited for.
class PatientClock final : public Timekeeper {
 public:
  std::function<void()> meanwhile = [] {};

  Time now() const override { return now_; }
  bool wait_until(std::condition_variable&, std::unique_lock<std::mutex>& lock, Time until,
                  const std::function<bool()>& done) override {
    if (done()) return true;
    lock.unlock();
    meanwhile();
    lock.lock();
    if (done()) return true;
    now_ = std::max(now_, until);
    return false;
  }
  void advance(std::chrono::seconds time) { now_ += time; }

 private:
  Time now_ = Time{} + std::chrono::hours(1);
};

TEST(BoardWithAClock, WaitsAFewSecondsForAClientWhoseCallWasLostAMomentAgo) {
  PatientClock clock;
  Board board({.clients = 2, .layout = {{"w", DType::f32, {3}}}, .time = &clock});
  const Seat one{.rank = 1, .session = board.enrol(1)}, two{.rank = 2, .session = board.enrol(2)};
  board.forget(board.await(one, [](const Answer&) {}));
  clock.advance(std::chrono::minutes(1));
  board.forget(board.await(two, [](const Answer&) {}));
  clock.advance(std::chrono::seconds(1));
  board.finish();

  bool came = false;
  clock.meanwhile = [&] {
    board.await(two, [&](const Answer& answer) { came = std::holds_alternative<RunOver>(answer); });
  };
  const auto start = clock.now();
  board.await_told(start + std::chrono::hours(1));
  EXPECT_TRUE(came);
  EXPECT_EQ(clock.now(), start) << "for the first, who was lost a minute before, nobody waits";
}

TEST(BoardWithAClock, WaitsNoLongerForAClientThatDoesNotCallAgain) {
  PatientClock clock;
  Board board({.clients = 1, .layout = {{"w", DType::f32, {3}}}, .time = &clock});
  const Seat one{.rank = 1, .session = board.enrol(1)};
  board.forget(board.await(one, [](const Answer&) {}));
  clock.advance(std::chrono::seconds(1));
  board.finish();
  const auto start = clock.now();
  board.await_told(start + std::chrono::seconds(2));
  EXPECT_EQ(clock.now(), start + std::chrono::seconds(2)) << "not beyond its caller's patience";
  board.await_told(start + std::chrono::hours(1));
  EXPECT_EQ(clock.now(), start + std::chrono::seconds(4)) << "five seconds after it was lost";
}

}  // namespace
}  // namespace fedtune::fed
