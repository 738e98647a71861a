// Stacked horizontal bars, and maps of shaded cells, as static SVG.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace fedtune::report {

struct Bar {
  std::string label;
  std::vector<double> parts;  // one per part of the chart
  std::string total;          // written behind it
};

// Of those that are numbers; in the picture the others have no length.
double sum_of(const std::vector<double>& parts);

struct BarChart {
  std::string title;
  std::string summary;             // read aloud in place of the picture
  std::vector<std::string> parts;  // names, in the order they are stacked; at most `shades` have a shade of their own
  std::vector<Bar> bars;
};
constexpr std::size_t shades = 5;

// An <svg> element with its own name, description and key.
std::string to_svg(const BarChart& chart);

// One row of a map: its cells from left to right.
struct CellRow {
  std::string label;
  std::vector<std::optional<double>> cells;  // unset: nothing to show
  std::vector<bool> crossed;                 // marked as left out; may be empty
};

struct CellMap {
  std::string title;
  std::string summary;
  std::string x_title;               // "round"
  std::vector<std::string> columns;  // labels below; an empty one is not written
  std::vector<CellRow> rows;
};
// The darkest cell is the greatest value, the lightest is 0.
std::string to_svg(const CellMap& map);

}  // namespace fedtune::report
