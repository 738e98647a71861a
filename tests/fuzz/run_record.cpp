// A run's results.json (which may be missing) and events.jsonl, one part each, up to the page and the table made of
// them.
#include "fedtune/report/page/run_record.h"

#include "support.h"

#include "fedtune/format/json_file.h"
#include "fedtune/report/page/page.h"

FEDTUNE_FUZZ_TARGET(run_record) {
  using namespace fedtune;
  nlohmann::json results;
  std::string_view events;
  const auto page = fuzz::accepted([&] {
    for (const fuzz::Part& part : fuzz::parts_of(fuzz::text_of(data, size))) {
      if (part.name == "results.json") results = parse_json(part.content, "results.json");
      if (part.name == "events.jsonl") events = part.content;
    }
    std::vector<report::RunRecord> runs;
    runs.push_back(report::run_record({.folder = "run", .results = results, .events = events}));
    const report::Study study(std::move(runs));
    report::to_csv(study);  // not looked at: a table for programs has any text as it is
    return report::to_page(study);
  });
  fuzz::require(!page || page->find("<script>alert") == std::string::npos, "what a run says is no part of the page");
  return 0;
}
