// Tables with tabs between their fields.
#include "table_checks.h"
#include <fmt/ranges.h>

FEDTUNE_FUZZ_TARGET(tsv) {
  using namespace fedtune;
  const auto table = data::tsv_rows(fuzz::text_of(data, size), "input");
  const auto rows = fuzz::accepted([&] { return data::all_rows(table); });
  if (!rows) return 0;
  // A byte order mark in front and CRLF at the ends, so that what looks like either within the text is kept.
  std::string written = "\xEF\xBB\xBF";
  for (const data::Row& row : *rows) written += fmt::format("{}\r\n", fmt::join(row.fields, "\t"));
  fuzz::require(fuzz::same_fields(data::all_rows(data::tsv_rows(written, "written")), *rows),
                "rows are written as they were read");
  fuzz::check_sentences(table, rows->size());
  return 0;
}
