#include "fedtune/data/table.h"

#include <algorithm>
#include <utility>

#include "fedtune/base/error.h"
#include "fedtune/format/json_file.h"
#include "fedtune/text/unicode.h"

namespace fedtune::data {
namespace {

// The text without its byte order mark and the empty lines at its end. Throws where it is not UTF-8.
std::string_view checked(std::string_view text, const std::string& source) {
  if (const auto invalid = text::find_invalid_utf8(text)) {
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(*invalid), '\n');
    throw input_error("{}, line {}: byte 0x{:02x} is not UTF-8; save the file as UTF-8", source, line,
                      static_cast<unsigned char>(text[*invalid]));
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const std::size_t last = text.find_last_not_of("\r\n");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// Calls line(number, text) for each line, without its end.
template <typename Line>
void for_each_line(std::string_view text, Line&& line) {
  std::int64_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view content = text.substr(begin, end - begin);
    if (content.ends_with('\r')) content.remove_suffix(1);
    line(++number, content);
    begin = end + 1;
  }
}

// A table of sentences has a few; without an end to them, a line of separators alone would take 32 times its size.
constexpr std::size_t most_columns = 4096;

void add_field(Row& row, std::string field, const std::string& source) {
  if (row.fields.size() == most_columns) {
    throw input_error(
        "{}, line {}: more than {} columns; expected a text or two and a label, check that it is the right file",
        source, row.line, most_columns);
  }
  row.fields.push_back(std::move(field));
}

void split(std::string_view line, char separator, Row& row, const std::string& source) {
  for (;;) {
    const std::size_t end = line.find(separator);
    add_field(row, std::string(line.substr(0, end)), source);
    if (end == std::string_view::npos) return;
    line.remove_prefix(end + 1);
  }
}

// Reads a CSV text character by character.
class CsvParser {
 public:
  CsvParser(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  void parse(const std::function<void(Row&)>& take) {
    Row row;
    while (at_ < text_.size()) {
      parse_row(row);
      take(row);
    }
  }

 private:
  void parse_row(Row& row) {
    row.line = line_;
    row.fields.clear();
    for (;;) {
      const bool quoted = at_ < text_.size() && text_[at_] == '"';
      add_field(row, quoted ? parse_quoted() : parse_bare(), source_);
      if (at_ >= text_.size()) return;
      if (text_[at_++] == ',') continue;
      ++line_;  // a line feed
      return;
    }
  }

  // Up to a comma or a line end; leaves `at_` on the comma or the line feed.
  std::string parse_bare() {
    const std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
    std::string_view field = text_.substr(at_, end - at_);
    if (field.ends_with('\r') && (end == text_.size() || text_[end] == '\n')) field.remove_suffix(1);
    if (field.find('"') != std::string_view::npos) {
      throw input_error(
          "{}, line {}: a quote inside an unquoted field; quote the whole field and double the quotes in it", source_,
          line_);
    }
    at_ = end;
    return std::string(field);
  }

  std::string parse_quoted() {
    const std::int64_t first_line = line_;
    std::string field;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != '"') {
        field.push_back(text_[at_]);
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        field.push_back('"');
        ++at_;
      } else {
        ++at_;
        expect_end_of_field();
        return field;
      }
    }
    throw input_error("{}, line {}: a quoted field that begins here is never closed", source_, first_line);
  }

  void expect_end_of_field() {
    if (text_.substr(at_).starts_with("\r\n")) ++at_;
    if (at_ >= text_.size() || text_[at_] == ',' || text_[at_] == '\n') return;
    std::size_t behind = at_;
    text::next_code_point(text_, behind);
    throw input_error(
        "{}, line {}: text after the closing quote of a field: found '{}', expected a comma or the end of the line; "
        "the columns of a .csv stand between commas, and a quote within a field is doubled",
        source_, line_, text_.substr(at_, behind - at_));
  }

  std::string_view text_;
  const std::string& source_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
};

}  // namespace

Rows<Row> tsv_rows(std::string_view text, const std::string& source) {
  return [text, source](const std::function<void(Row&)>& take) {
    Row row;
    for_each_line(checked(text, source), [&](std::int64_t number, std::string_view line) {
      row.line = number;
      row.fields.clear();
      split(line, '\t', row, source);
      take(row);
    });
  };
}

Rows<Row> csv_rows(std::string_view text, const std::string& source) {
  return
      [text, source](const std::function<void(Row&)>& take) { CsvParser(checked(text, source), source).parse(take); };
}

Rows<JsonRow> jsonl_rows(std::string_view text, const std::string& source) {
  return [text, source](const std::function<void(JsonRow&)>& take) {
    for_each_line(checked(text, source), [&](std::int64_t number, std::string_view line) {
      const std::string place = fmt::format("{}, line {}", source, number);
      JsonRow row{.line = number, .object = parse_json(line, place)};
      if (!row.object.is_object()) {
        throw input_error("{}: found {}, expected a JSON object", place, row.object.type_name());
      }
      take(row);
    });
  };
}

}  // namespace fedtune::data
