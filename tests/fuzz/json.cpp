// The strict reader of JSON, which every file and message in JSON goes through.
#include "support.h"

#include "fedtune/format/json_file.h"

FEDTUNE_FUZZ_TARGET(json) {
  using namespace fedtune;
  const auto value = fuzz::accepted([&] { return parse_json(fuzz::text_of(data, size), "input"); });
  if (!value) return 0;
  fuzz::require(parse_json(value->dump(), "written") == *value, "what was read is written as it was");
  fuzz::accepted([&] { return required<std::vector<std::string>>(*value, "key", "input"); });
  fuzz::accepted([&] { return required<std::int64_t>(*value, "number", "input"); });
  fuzz::accepted([&] { return optional_or<double>(*value, "number", 0.0, "input"); });
  fuzz::accepted([&] { return required<int>(*value, "number", "input"); });
  return 0;
}
