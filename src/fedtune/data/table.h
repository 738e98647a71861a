// Text tables as rows of fields, each with the line it stands on. Strict: what is not UTF-8 is an Error(input) naming
// file and line, as is a row of more than 4,096 columns. A byte order mark at the start is skipped, as are empty lines
// at the end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace fedtune::data {

// A table: hands its rows over one by one, so that no more than one is in memory. Whoever takes a row may move from it.
template <typename R>
using Rows = std::function<void(const std::function<void(R& row)>& take)>;

struct Row {
  std::int64_t line = 0;  // from 1; where the row begins
  std::vector<std::string> fields;
};

// Tabs between fields, no quoting; LF or CRLF. `source` names the file in messages; the text outlives the rows.
Rows<Row> tsv_rows(std::string_view text, const std::string& source);

// RFC 4180: commas, fields may stand in double quotes and then hold commas, line ends and doubled quotes; LF or CRLF.
// Throws Error(input) for a quote that is not closed or stands inside a bare field.
Rows<Row> csv_rows(std::string_view text, const std::string& source);

struct JsonRow {
  std::int64_t line = 0;
  nlohmann::json object;
};

// One JSON object per line.
Rows<JsonRow> jsonl_rows(std::string_view text, const std::string& source);

}  // namespace fedtune::data
