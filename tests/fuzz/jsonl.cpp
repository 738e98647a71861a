// Tables of one JSON object a line.
#include "table_checks.h"

FEDTUNE_FUZZ_TARGET(jsonl) {
  using namespace fedtune;
  const auto rows = fuzz::accepted([&] { return data::parse_jsonl(fuzz::text_of(data, size), "input"); });
  if (rows) fuzz::check_sentences(*rows);
  return 0;
}
