#include "fedtune/net/turnstile.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fedtune::net {
namespace {

using ::testing::ElementsAre;

class TurnstileTest : public testing::Test {
 protected:
  std::vector<int> in;

  Turnstile::Guest guest(int number, bool stays = true) {
    return [this, number, stays] {
      if (stays) in.push_back(number);
      return stays;
    };
  }
};

TEST_F(TurnstileTest, LetsInAsManyAsThereArePlacesThenInTheOrderOfComing) {
  Turnstile turnstile(2);
  for (const int number : {1, 2, 3, 4}) turnstile.enter(guest(number));
  EXPECT_THAT(in, ElementsAre(1, 2));
  turnstile.leave();
  EXPECT_THAT(in, ElementsAre(1, 2, 3));
  turnstile.leave();
  turnstile.leave();
  EXPECT_THAT(in, ElementsAre(1, 2, 3, 4));
}

TEST_F(TurnstileTest, PassesOnThePlaceOfWhoHasGone) {
  Turnstile turnstile(1);
  turnstile.enter(guest(1));
  turnstile.enter(guest(2, /*stays=*/false));
  turnstile.enter(guest(3));
  turnstile.leave();
  EXPECT_THAT(in, ElementsAre(1, 3));
  turnstile.leave();
  turnstile.enter(guest(4, /*stays=*/false));  // gone at once: its place is free
  turnstile.enter(guest(5));
  EXPECT_THAT(in, ElementsAre(1, 3, 5));
}

TEST_F(TurnstileTest, NeverHasMoreInsideThanPlacesAndLosesNobody) {
  constexpr int places = 3, threads = 8, turns = 500;
  Turnstile turnstile(places);
  std::atomic<int> inside{0}, most{0}, entered{0};
  {
    std::vector<std::jthread> crowd;
    for (int i = 0; i < threads; ++i) {
      crowd.emplace_back([&] {
        for (int turn = 0; turn < turns; ++turn) {
          const auto in = std::make_shared<std::atomic<bool>>(false);
          turnstile.enter([&, in] {
            const int now = ++inside;
            int seen = most;
            while (now > seen && !most.compare_exchange_weak(seen, now)) {
            }
            *in = true;
            in->notify_one();
            return true;
          });
          in->wait(false);
          ++entered;
          --inside;
          turnstile.leave();
        }
      });
    }
  }
  EXPECT_EQ(entered, threads * turns);
  EXPECT_LE(most, places);
}

}  // namespace
}  // namespace fedtune::net
