#include "fedtune/report/page/markup.h"

#include <fmt/format.h>

namespace fedtune::report {
namespace {

std::string row_html(const std::vector<std::string>& cells) {
  std::string html = "<tr>";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    html += i == 0 ? fmt::format("<th scope=\"row\">{}</th>", escaped(cells[i]))
                   : fmt::format("<td>{}</td>", escaped(cells[i]));
  }
  return html + "</tr>\n";
}

// Which rows are shown.
std::vector<std::size_t> thinned(std::size_t count) {
  std::vector<std::size_t> shown;
  const std::size_t step = (count + most_rows - 1) / most_rows;
  for (std::size_t i = 0; i < count; i += step) shown.push_back(i);
  if (count > 0 && shown.back() != count - 1) shown.push_back(count - 1);
  return shown;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '&') {
      safe += "&amp;";
    } else if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else if (c == '"') {
      safe += "&quot;";
    } else if (c == '\'') {
      safe += "&#39;";
    } else if ((code < 0x20 && c != '\n' && c != '\t') || code == 0x7f) {
      safe += "\xef\xbf\xbd";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string coordinate(double value) {
  std::string text = fmt::format("{:.2f}", value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string to_html(const Table& table) {
  const std::vector<std::size_t> shown = thinned(table.rows.size());
  const std::string note =
      shown.size() < table.rows.size() ? fmt::format(" ({} of {} rows)", shown.size(), table.rows.size()) : "";
  std::string html = fmt::format(
      "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{0}\"><table{1}><caption>{0}{2}</caption>\n"
      "<thead><tr>",
      escaped(table.caption), table.numeric ? " class=\"n\"" : "", note);
  for (const std::string& column : table.columns) html += fmt::format("<th scope=\"col\">{}</th>", escaped(column));
  html += "</tr></thead>\n<tbody>\n";
  for (const std::size_t row : shown) html += row_html(table.rows[row]);
  return html + "</tbody></table></div>\n";
}

std::string folded(const Table& table) {
  return fmt::format("<details><summary>{}: the figures</summary>\n{}</details>\n", escaped(table.caption),
                     to_html(table));
}

}  // namespace fedtune::report
