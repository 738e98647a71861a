#include "fedtune/fed/round_log.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"

namespace fedtune::fed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string start =
    R"({"event":"start","round":0,"loss":0.5,"accuracy":0.25,"mcc":null,"f1":0.1,"global_sha256":"a0"})"
    "\n";
const std::string begin = R"({"event":"round_start","round":1,"cohort":[1,2]})"
                          "\n";

std::string client(int rank, const std::string& weight) {
  return fmt::format(R"({{"event":"client","round":1,"rank":{},"weight":{}}})", rank, weight) + "\n";
}

std::string measured(int rank, const std::string& sha256) {
  return fmt::format(R"({{"event":"measured","round":1,"rank":{},"sha256":"{}"}})", rank, sha256) + "\n";
}

std::string round(int number, const std::string& accepted) {
  return fmt::format(R"({{"event":"round","round":{},"loss":0.4,"accepted":{},"global_sha256":"a{}"}})", number,
                     accepted, number) +
         "\n";
}

std::string problem_of(const std::string& text) {
  try {
    read_round_log(text, "events");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "";
}

TEST(RoundLog, GivesTheCompleteRounds) {
  const auto rounds = read_round_log(start + begin + client(2, "6.5") + client(1, "5") + measured(1, "c1") +
                                         measured(2, "c2") + round(1, "[2,1]") + begin + client(1, "5"),
                                     "events");
  ASSERT_EQ(rounds.size(), 2u);
  EXPECT_EQ(rounds[0].global_sha256, "a0");
  EXPECT_EQ(rounds[0].evaluation.accuracy, 0.25);
  EXPECT_TRUE(std::isnan(rounds[0].evaluation.mcc));
  EXPECT_THAT(rounds[1].cohort, ElementsAre(1, 2));
  ASSERT_EQ(rounds[1].accepted.size(), 2u);
  EXPECT_EQ(rounds[1].accepted[0].rank, 1);
  EXPECT_EQ(rounds[1].accepted[1].weight, 6.5);
  EXPECT_EQ(rounds[1].accepted[1].sha256, "c2");
}

TEST(RoundLog, OfTwoAttemptsTheSecondCounts) {
  const auto rounds = read_round_log(
      start + begin + client(1, "5") + client(2, "5") + client(1, "6") + measured(1, "c1") + round(1, "[1]"), "events");
  ASSERT_EQ(rounds.at(1).accepted.size(), 1u);
  EXPECT_EQ(rounds[1].accepted[0].weight, 6.0);
}

TEST(RoundLog, PassesOverALastLineWithoutItsEnd) {
  EXPECT_EQ(read_round_log(start + begin + R"({"event":"rou)", "events").size(), 1u);
  EXPECT_TRUE(read_round_log("", "events").empty());
}

TEST(RoundLog, NamesTheLineOfWhatIsNoEvent) {
  EXPECT_THAT(problem_of(start + "nonsense\n"), HasSubstr("events, line 2"));
  EXPECT_THAT(problem_of(start + "{}\n"), HasSubstr("event"));
  EXPECT_THAT(problem_of("\n"), HasSubstr("events, line 1"));
}

TEST(RoundLog, RefusesRoundsThatDoNotFollowOneAnother) {
  EXPECT_THAT(problem_of(start + begin + client(1, "5") + measured(1, "c") + round(2, "[1]")),
              HasSubstr("round 2, expected round 1"));
  EXPECT_THAT(problem_of(start + start), HasSubstr("round 0, expected round 1"));
}

TEST(RoundLog, RefusesAnAcceptedClientWithoutItsEntry) {
  const std::string both = start + begin + client(1, "5") + measured(1, "c") + measured(2, "c");
  EXPECT_THAT(problem_of(both + round(1, "[1,2]")), HasSubstr("accepted client 2"));
  EXPECT_THAT(problem_of(start + begin + client(1, "5") + round(1, "[1]")), HasSubstr("accepted client 1"));
}

}  // namespace
}  // namespace fedtune::fed
