// Text tables as rows of fields, each with the line it stands on. Strict: what is not UTF-8 is an Error(input) naming
// file and line. A byte order mark at the start is skipped, as are empty lines at the end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace fedtune::data {

struct Row {
  std::int64_t line = 0;  // from 1; where the row begins
  std::vector<std::string> fields;
};

// Tabs between fields, no quoting; LF or CRLF. `source` names the file in messages.
std::vector<Row> parse_tsv(std::string_view text, const std::string& source);

// RFC 4180: commas, fields may stand in double quotes and then hold commas, line ends and doubled quotes; LF or CRLF.
// Throws Error(input) for a quote that is not closed or stands inside a bare field.
std::vector<Row> parse_csv(std::string_view text, const std::string& source);

struct JsonRow {
  std::int64_t line = 0;
  nlohmann::json object;
};

// One JSON object per line.
std::vector<JsonRow> parse_jsonl(std::string_view text, const std::string& source);

}  // namespace fedtune::data
