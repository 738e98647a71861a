// Lines over rounds or bytes, as static SVG: labelled at their ends, told apart by shape as well as by colour.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fedtune/report/page/markup.h"
#include "fedtune/report/page/scale.h"

namespace fedtune::report {

struct Point {
  double x = 0.0;
  double y = 0.0;                  // not finite: no mark
  std::optional<Interval> band{};  // around y
};

struct Line {
  std::string label;    // at its end: short
  int look = 0;         // colour and shape of its marks, in pairs that repeat after 12: 0 .. looks - 1
  bool dashed = false;  // a companion of another line with the same look
  std::vector<Point> points;
};
constexpr int colours = 6, shapes = 4;
constexpr int looks = 12;

// A level to compare with: a thin line across.
struct Level {
  std::string label;
  double value = 0.0;
};

struct LineChart {
  std::string title;    // "Accuracy"
  std::string x_title;  // "round"
  std::string summary;  // what it shows, in a sentence: read aloud in place of the picture
  Spacing x_spacing = Spacing::linear;
  bool whole_x = true;  // rounds
  std::vector<Line> lines;
  std::vector<Level> levels{};
};

// An <svg> element with its own name and description.
std::string to_svg(const LineChart& chart);

}  // namespace fedtune::report
