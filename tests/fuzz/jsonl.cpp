// Tables of one JSON object a line.
#include "table_checks.h"

FEDTUNE_FUZZ_TARGET(jsonl) {
  using namespace fedtune;
  const auto table = data::jsonl_rows(fuzz::text_of(data, size), "input");
  const auto rows = fuzz::accepted([&] { return data::all_rows(table); });
  if (rows) fuzz::check_sentences(table, rows->size());
  return 0;
}
