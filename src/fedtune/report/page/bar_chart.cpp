#include "fedtune/report/page/bar_chart.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "fedtune/report/page/markup.h"
#include "fedtune/report/units.h"

namespace fedtune::report {
namespace {

constexpr double bar_chart_width = 400;
constexpr double plain_letter = 7.0;
constexpr double row_height = 20, bar_height = 14;
constexpr double key_height = 20;

template <typename Rows>
double label_width(const Rows& rows) {
  std::size_t longest = 0;
  for (const auto& row : rows) longest = std::max(longest, row.label.size());
  return std::clamp(plain_letter * static_cast<double>(longest) + 8, 24.0, 150.0);
}

std::string head(double height, const std::string& title, const std::string& summary) {
  return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", bar_chart_width,
                     coordinate(height), escaped(fmt::format("{}. {}", title, summary)));
}

// The names of the parts that occur with their shades, in as many lines as they need.
struct Key {
  std::string svg;
  double height = 0.0;
};
Key key_of(const BarChart& chart) {
  const std::vector<std::string>& parts = chart.parts;
  Key key;
  double x = 0.0, y = 12.0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool seen = std::ranges::any_of(chart.bars, [i](const Bar& bar) { return bar.parts[i] > 0.0; });
    if (!seen) continue;
    const double needed = 28 + plain_letter * static_cast<double>(parts[i].size());
    if (x > 0.0 && x + needed > bar_chart_width) {
      x = 0.0;
      y += key_height;
    }
    key.svg += fmt::format(
        "<rect class=\"q{}\" x=\"{}\" y=\"{}\" width=\"11\" height=\"11\"/><text class=\"tk\" x=\"{}\" "
        "y=\"{}\">{}</text>\n",
        i % shades, coordinate(x), coordinate(y - 10), coordinate(x + 16), coordinate(y), escaped(parts[i]));
    x += needed;
  }
  key.height = y + 10;
  return key;
}

std::string row_label(const std::string& text, double x, double y) {
  return fmt::format("<text class=\"tk e\" x=\"{}\" y=\"{}\">{}</text>", coordinate(x), coordinate(y), escaped(text));
}

}  // namespace

double sum_of(const std::vector<double>& parts) {
  double sum = 0.0;
  for (const double part : parts) sum += std::isfinite(part) ? part : 0.0;
  return sum;
}

std::string to_svg(const BarChart& chart) {
  const double left = label_width(chart.bars);
  double most = 0.0;
  std::size_t longest_total = 0;
  for (const Bar& bar : chart.bars) {
    most = std::max(most, sum_of(bar.parts));
    longest_total = std::max(longest_total, bar.total.size());
  }
  const double room = bar_chart_width - left - plain_letter * static_cast<double>(longest_total) - 12;
  const Key key = key_of(chart);
  std::string svg =
      head(key.height + row_height * static_cast<double>(chart.bars.size()) + 4, chart.title, chart.summary) + key.svg;
  double y = key.height;
  for (const Bar& bar : chart.bars) {
    svg += row_label(bar.label, left - 6, y + 12);
    double x = left;
    for (std::size_t i = 0; i < bar.parts.size(); ++i) {
      const double part = std::isfinite(bar.parts[i]) ? bar.parts[i] : 0.0;
      const double length = most > 0.0 ? part / most * room : 0.0;
      if (length <= 0.0) continue;
      svg += fmt::format(
          "<rect class=\"q{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}, {}: {}</title></rect>",
          i % shades, coordinate(x), coordinate(y), coordinate(std::max(length - (length > 3 ? 1 : 0), 0.5)),
          bar_height, escaped(bar.label), escaped(chart.parts[i]), number_text(part));
      x += length;
    }
    svg += fmt::format("<text class=\"tk\" x=\"{}\" y=\"{}\">{}</text>\n", coordinate(x + 5), coordinate(y + 12),
                       escaped(bar.total));
    y += row_height;
  }
  return svg + "</svg>\n";
}

std::string to_svg(const CellMap& map) {
  const double left = label_width(map.rows);
  double most = 0.0;
  for (const CellRow& row : map.rows) {
    for (const auto& cell : row.cells) most = std::max(most, cell.value_or(0.0));
  }
  const auto columns = static_cast<double>(std::max<std::size_t>(map.columns.size(), 1));
  const double cell = std::min((bar_chart_width - left) / columns, 40.0);
  const double bottom = row_height * static_cast<double>(map.rows.size());
  std::string svg = head(bottom + 38, map.title, map.summary);
  for (std::size_t r = 0; r < map.rows.size(); ++r) {
    const CellRow& row = map.rows[r];
    const double y = row_height * static_cast<double>(r);
    svg += row_label(row.label, left - 6, y + 14);
    for (std::size_t c = 0; c < row.cells.size(); ++c) {
      const double x = left + cell * static_cast<double>(c);
      if (row.cells[c]) {
        const double strength = most > 0.0 ? 0.08 + 0.92 * *row.cells[c] / most : 0.08;
        svg += fmt::format(
            "<rect class=\"q0\" fill-opacity=\"{:.2f}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}, {} "
            "{}: {}</title></rect>",
            strength, coordinate(x), coordinate(y), coordinate(cell - 1), row_height - 1, escaped(row.label),
            escaped(map.x_title), escaped(map.columns[c]), number_text(*row.cells[c]));
      } else {
        svg += fmt::format("<circle class=\"tkf\" cx=\"{}\" cy=\"{}\" r=\"1\"/>", coordinate(x + cell / 2),
                           coordinate(y + row_height / 2));
      }
      if (c < row.crossed.size() && row.crossed[c]) {
        svg += fmt::format("<path class=\"cross\" d=\"M{} {}l9 9m0-9l-9 9\"><title>{}, {} {}: left out</title></path>",
                           coordinate(x + cell / 2 - 4.5), coordinate(y + row_height / 2 - 4.5), escaped(row.label),
                           escaped(map.x_title), escaped(map.columns[c]));
      }
    }
    svg += "\n";
  }
  const auto every = static_cast<std::size_t>(std::ceil(24.0 / cell));
  for (std::size_t c = 0; c < map.columns.size(); c += every) {
    svg += fmt::format("<text class=\"tk m\" x=\"{}\" y=\"{}\">{}</text>",
                       coordinate(left + cell * (static_cast<double>(c) + 0.5)), coordinate(bottom + 15),
                       escaped(map.columns[c]));
  }
  return svg + fmt::format("<text class=\"tk m\" x=\"{}\" y=\"{}\">{}</text>\n</svg>\n",
                           coordinate(left + cell * columns / 2), coordinate(bottom + 33), escaped(map.x_title));
}

}  // namespace fedtune::report
