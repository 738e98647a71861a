#include <algorithm>
#include <cmath>
#include <limits>
#include <regex>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/report/page/bar_chart.h"
#include "fedtune/report/page/line_chart.h"
#include "fedtune/report/page/scale.h"

namespace fedtune::report {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::Not;

TEST(Ticks, AreRoundNumbersThatCoverTheData) {
  EXPECT_THAT(tick_labels(ticks({.low = 0.51, .high = 0.79}, 5)), ElementsAre("0.5", "0.6", "0.7", "0.8"));
  EXPECT_THAT(tick_labels(ticks({.low = -3, .high = 9}, 5)), ElementsAre("-5", "0", "5", "10"));
  EXPECT_THAT(ticks({.low = 3, .high = 70}, 6, Spacing::logarithmic), ElementsAre(2, 5, 10, 20, 50, 100));
}

TEST(Ticks, OfOneValueLieAroundIt) {
  const auto values = ticks({.low = 0.5, .high = 0.5}, 5);
  EXPECT_LT(values.front(), 0.5);
  EXPECT_GT(values.back(), 0.5);
}

TEST(Ticks, AreFewWhateverTheValues) {
  constexpr double most = std::numeric_limits<double>::max(), least = std::numeric_limits<double>::denorm_min();
  for (const Interval data : {Interval{1e17, 1e17 + 16},
                              {1, std::nextafter(1.0, 2.0)},
                              {-most, most},
                              {most, most},
                              {-1e300, 1e300},
                              {0, least},
                              {-1e-30, 1e30}}) {
    const std::vector<double> values = ticks(data, 5);
    EXPECT_THAT(values.size(), AllOf(Ge(2u), Le(12u))) << data.low << " " << data.high;
    EXPECT_TRUE(std::ranges::is_sorted(values) && std::isfinite(values.front()) && std::isfinite(values.back()))
        << data.low << " " << data.high;
    if (std::max(-data.low, data.high) > 1e300) continue;
    const double rounding = (data.high - data.low) * 1e-9;
    EXPECT_LE(values.front(), data.low + rounding);
    EXPECT_GE(values.back(), data.high - rounding);
  }
}

TEST(Ticks, OfRoundsAreWhole) {
  EXPECT_THAT(whole_ticks({.low = 0, .high = 3}, 6), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(whole_ticks({.low = 1, .high = 100}, 5), ElementsAre(1, 21, 41, 61, 81));
}

TEST(Scale, MapsTheEndsToTheEnds) {
  const Scale scale({.low = 1, .high = 100}, {.low = 200, .high = 0}, Spacing::logarithmic);
  EXPECT_DOUBLE_EQ(scale(1), 200);
  EXPECT_DOUBLE_EQ(scale(10), 100);
  EXPECT_DOUBLE_EQ(scale(100), 0);
}

LineChart two_lines() {
  return {.title = "Accuracy",
          .x_title = "round",
          .summary = "It rises.",
          .lines = {{.label = "one", .look = 0, .points = {{0, 0.5}, {1, 0.6}}},
                    {.label = "two", .look = 1, .points = {{0, 0.5}, {1, 0.6}}}}};
}

TEST(LineChart, LabelsEachLineAtItsEndWithoutCoveringAnother) {
  const std::string svg = to_svg(two_lines());
  EXPECT_THAT(svg, HasSubstr(">one</text>"));
  EXPECT_THAT(svg, HasSubstr(">two</text>"));
  EXPECT_THAT(svg, HasSubstr("aria-label=\"Accuracy. It rises.\""));
  const auto y_of = [&](const std::string& label) {
    const std::size_t end = svg.find("\">" + label + "</text>");
    const std::size_t begin = svg.rfind("y=\"", end) + 3;
    return std::stod(svg.substr(begin, end - begin));
  };
  EXPECT_GE(std::abs(y_of("one") - y_of("two")), 14.0);
}

TEST(LineChart, GrowsUntilAllLabelsAreInThePicture) {
  LineChart chart = two_lines();
  for (int i = 0; i < 30; ++i) {
    chart.lines.push_back({.label = fmt::format("line {}", i), .look = 0, .points = {{0, 0.5}, {1, 0.6}}});
  }
  const std::string svg = to_svg(chart);
  const std::regex text("<text class=\"lb [^>]* y=\"([-0-9.]+)\">");
  std::vector<double> y;
  for (std::sregex_iterator label(svg.begin(), svg.end(), text), end; label != end; ++label) {
    y.push_back(std::stod((*label)[1]));
  }
  ASSERT_EQ(y.size(), chart.lines.size());
  EXPECT_GE(y.front(), 11.0);  // a letter's height below the upper edge
  for (std::size_t i = 1; i < y.size(); ++i) EXPECT_GE(y[i] - y[i - 1], 14.0) << i;
}

TEST(LineChart, ValuesThatAreNoNumbersLeaveAGapAndNothingElse) {
  LineChart chart = two_lines();
  chart.lines[0].points = {{0, 0.5}, {1, std::nan("")}, {2, 0.7}, {3, std::nan("")}};
  chart.lines[1].points = {{0, std::nan("")}};
  const std::string svg = to_svg(chart);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr(">two</text>")));
}

TEST(LineChart, WithoutAnyValueSaysSo) {
  LineChart chart = two_lines();
  for (Line& line : chart.lines) line.points.clear();
  EXPECT_THAT(to_svg(chart), HasSubstr("no figures"));
}

TEST(BarChart, DrawsAPieceForEachPartThatIsThere) {
  const std::string svg = to_svg(
      BarChart{.title = "Time", .summary = "", .parts = {"a", "b", "c"}, .bars = {{"round 1", {1, 0, 2}, "3 s"}}});
  EXPECT_THAT(svg, HasSubstr("round 1, c: 2"));
  EXPECT_THAT(svg, Not(HasSubstr("round 1, b")));
  EXPECT_THAT(svg, Not(HasSubstr(">b</text>")));  // nor in the key
}

TEST(CellMap, DarkensTheGreatestAndCrossesWhatWasLeftOut) {
  const std::string svg = to_svg(CellMap{.title = "Norms",
                                         .summary = "",
                                         .x_title = "round",
                                         .columns = {"1", "2"},
                                         .rows = {{"client 1", {2.0, std::nullopt}, {false, true}}}});
  EXPECT_THAT(svg, HasSubstr("fill-opacity=\"1.00\""));
  EXPECT_THAT(svg, HasSubstr("client 1, round 2: left out"));
}

}  // namespace
}  // namespace fedtune::report
