// Pieces of HTML and SVG: text made safe, elements, tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fedtune::report {

// Safe as text and within quotes; characters that no HTML may hold are replaced.
std::string escaped(std::string_view text);

// A coordinate: at most two decimals.
std::string coordinate(double value);

// A table with a caption. The first cell of a row is its header; cells are texts, not markup.
struct Table {
  std::string caption{};
  std::vector<std::string> columns{};
  std::vector<std::vector<std::string>> rows{};
  bool numeric = true;  // all columns but the first are figures, set to the right
};
// Rows beyond `most_rows` are thinned out evenly, the last is kept, and the caption says so.
constexpr std::size_t most_rows = 120;
// Within a region that scrolls by itself and is reached by the keyboard.
std::string to_html(const Table& table);
// The same, closed until it is asked for.
std::string folded(const Table& table);

}  // namespace fedtune::report
