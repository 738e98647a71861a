#include "fedtune/report/page/sections.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "fedtune/report/units.h"

namespace fedtune::report {
namespace {

// What changed from the first round to the last, in words.
std::string summary_of(const LineChart& chart) {
  std::string text;
  for (const Line& line : chart.lines) {
    if (line.points.empty()) continue;
    text += fmt::format("{}{}: {} to {}", text.empty() ? "" : "; ", line.label, number_text(line.points.front().y),
                        number_text(line.points.back().y));
  }
  for (const Level& level : chart.levels) text += fmt::format("; {}: {}", level.label, number_text(level.value));
  return text + ".";
}

Table table_of(const LineChart& chart) {
  Table table{.caption = chart.title, .columns = {chart.x_title}};
  std::set<double> rounds;
  for (const Line& line : chart.lines) {
    table.columns.push_back(line.label);
    const bool banded = std::ranges::any_of(line.points, [](const Point& p) { return p.band.has_value(); });
    if (banded) table.columns.push_back(fmt::format("{}, lowest to highest", line.label));
    for (const Point& point : line.points) rounds.insert(point.x);
  }
  for (const double round : rounds) {
    std::vector<std::string> row{number_text(round)};
    for (const Line& line : chart.lines) {
      const auto found = std::ranges::find(line.points, round, &Point::x);
      row.push_back(found == line.points.end() ? "-" : number_text(found->y));
      const bool banded = std::ranges::any_of(line.points, [](const Point& p) { return p.band.has_value(); });
      if (!banded) continue;
      row.push_back(found == line.points.end() || !found->band
                        ? "-"
                        : fmt::format("{} to {}", number_text(found->band->low), number_text(found->band->high)));
    }
    table.rows.push_back(std::move(row));
  }
  for (const Level& level : chart.levels) {
    std::vector<std::string> row(table.columns.size(), "");
    row[0] = level.label;
    row[1] = number_text(level.value);
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

std::string to_html(const Section& section) {
  return fmt::format(
      "<section aria-labelledby=\"{0}\"><h2 id=\"{0}\">{1}</h2>\n<p class=\"lead\">{2}</p>\n{3}</section>\n",
      section.id, escaped(section.title), escaped(section.lead), section.body);
}

std::string to_html(const Figure& figure) {
  return fmt::format("<figure><figcaption><h3>{}</h3><p>{}</p></figcaption>\n{}{}</figure>\n", escaped(figure.title),
                     escaped(figure.note), figure.svg, folded(figure.table));
}

std::string line_figure(LineChart chart, std::string note) {
  chart.summary = summary_of(chart);
  return to_html(Figure{.title = chart.title, .note = std::move(note), .svg = to_svg(chart), .table = table_of(chart)});
}

}  // namespace fedtune::report
