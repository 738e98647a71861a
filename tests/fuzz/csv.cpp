// Tables with commas between their fields, and quotes around them.
#include "table_checks.h"

FEDTUNE_FUZZ_TARGET(csv) {
  using namespace fedtune;
  const auto table = data::csv_rows(fuzz::text_of(data, size), "input");
  const auto rows = fuzz::accepted([&] { return data::all_rows(table); });
  if (!rows) return 0;
  std::string written;
  for (const data::Row& row : *rows) {
    for (const std::string& field : row.fields) {
      written += &field == row.fields.data() ? "\"" : ",\"";
      for (const char c : field) written += c == '"' ? std::string("\"\"") : std::string(1, c);
      written += '"';
    }
    written += '\n';
  }
  fuzz::require(fuzz::same_fields(data::all_rows(data::csv_rows(written, "written")), *rows),
                "rows are written as they were read");
  fuzz::check_sentences(table, rows->size());
  return 0;
}
