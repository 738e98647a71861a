#include "fedtune/report/page/run_record.h"

#include <algorithm>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/format/json_file.h"

namespace fedtune::report {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// Collects what the lines say. A round that was tried again, or played again after a resume, counts as it was last.
class EventReader {
 public:
  EventReader(RunRecord& record, std::string source) : record_(record), source_(std::move(source)) {}

  // Reads up to the first line that makes no sense.
  void read(std::string_view text) {
    int number = 0;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      if (end == std::string_view::npos) return;  // being written, or cut off by a crash: the next start removes it
      ++number;
      try {
        take(parse_json(text.substr(0, end), source_));
      } catch (const Error& error) {
        record_.remarks.push_back(
            fmt::format("events.jsonl is damaged at line {}; what stands behind it is not shown", number));
        return;
      }
      text.remove_prefix(end + 1);
    }
  }

  const json& opening() const { return opening_; }
  // Scores, bytes and seconds of the rounds, in the form of results.json's "fedtune".
  json series() const {
    json own = json::object();
    for (const auto& [round, event] : rounds_) {
      own["metrics"].push_back(event);
      if (round == 0) continue;
      add(own["bytes"], round, event, "bytes");
      add(own["seconds"], round, event, "seconds");
      own["sentences_per_second"].push_back({{"round", round}, {"value", event.value("sentences_per_second", json())}});
    }
    return own;
  }
  std::vector<RoundDetail> details() const {
    std::vector<RoundDetail> list;
    for (const auto& [round, detail] : details_) {
      if (rounds_.contains(round)) list.push_back(detail);
    }
    return list;
  }

 private:
  static void add(json& list, int round, const json& event, const char* key) {
    json entry = event.value(key, json::object());
    entry["round"] = round;
    list.push_back(std::move(entry));
  }

  void take(const json& event) {
    const auto kind = required<std::string>(event, "event", source_);
    if (kind == "run") {
      require_object(event, "fedtune");
      rounds_.clear();
      details_.clear();
      opening_ = event;
    } else if (kind == "start" || kind == "round") {
      take_round(event);
    } else if (kind == "round_start") {
      RoundDetail& detail = fresh_detail(round_of(event));
      detail.cohort = required<std::vector<int>>(event, "cohort", source_);
    } else if (kind == "refused") {
      details_[round_of(event)].excluded.push_back(
          {required<int>(event, "rank", source_), required<std::string>(event, "reason", source_)});
    }
  }

  int round_of(const json& event) const { return required<int>(event, "round", source_); }

  RoundDetail& fresh_detail(int round) {
    details_[round] = {.round = round};
    return details_[round];
  }

  double number(const json& object, std::string_view key) const {
    return optional_or<double>(object, key, 0.0, source_);
  }

  void require_object(const json& event, const char* key) const {
    if (optional_or<json>(event, key, json::object(), source_).is_object()) return;
    throw input_error("{}: {} is {}, expected an object", source_, key, event.at(key).type_name());
  }

  void take_round(const json& event) {
    const int round = round_of(event);
    require_object(event, "bytes");
    require_object(event, "seconds");
    rounds_[round] = event;
    if (round == 0) return;
    RoundDetail& detail = details_[round];
    detail.round = round;
    for (const json& entry : optional_or<std::vector<json>>(event, "contributions", {}, source_)) {
      detail.contributions.push_back({.rank = required<int>(entry, "rank", source_),
                                      .share = number(entry, "share"),
                                      .norm = number(entry, "norm"),
                                      .cosine = number(entry, "cosine")});
    }
    const auto errors = optional_or<json>(event, "averaging_error", json::object(), source_);
    for (const auto& item : errors.items()) {
      if (item.value().is_number()) detail.averaging_errors.push_back({item.key(), item.value().get<double>()});
    }
  }

  RunRecord& record_;
  std::string source_;
  json opening_;
  std::map<int, json> rounds_;
  std::map<int, RoundDetail> details_;
};

// What an unfinished run has of its results.
RunResults results_so_far(const EventReader& events, const std::string& context) {
  json all = events.opening();
  if (all.is_null()) all = json::object();
  json& own = all["fedtune"];
  if (own.is_null()) own = json::object();
  if (!own.contains("scheme") && all.contains("scheme")) own["scheme"] = all["scheme"];  // an older version's
  own.update(events.series());
  return results_from(all, context);
}

void add_remarks(const EventReader& events, RunRecord& record) {
  const int last = record.results.metrics.empty() ? 0 : record.results.metrics.back().round;
  if (!record.finished) {
    record.remarks.push_back(fmt::format("this run has not finished: {} of {} rounds are shown", last,
                                         record.rounds_planned > 0 ? std::to_string(record.rounds_planned) : "?"));
  }
  const bool detailed = std::ranges::any_of(record.details, [](const auto& d) { return !d.contributions.empty(); });
  if (!events.opening().contains("fedtune") || (last > 0 && !detailed)) {
    record.remarks.emplace_back(
        "its event log says nothing of single contributions (it is missing, damaged, or of an older version)");
  }
}

}  // namespace

RunRecord run_record(const RunFiles& files) {
  RunRecord record;
  record.folder = files.folder;
  record.name = (files.folder.has_filename() ? files.folder : files.folder.parent_path()).filename().string();
  record.finished = !files.results.is_null();
  EventReader events(record, (files.folder / "events.jsonl").string());
  events.read(files.events);
  const std::string context = (files.folder / (record.finished ? "results.json" : "events.jsonl")).string();
  record.results = record.finished ? results_from(files.results, context) : results_so_far(events, context);
  record.details = events.details();
  record.rounds_planned = optional_or<int>(json(record.results.config), "num_rounds", 0, context);
  if (record.results.metrics.empty()) {
    throw input_error("{}: no round has been recorded yet, so there is nothing to report; let it run, or go on with {}",
                      files.folder.string(), fmt::format("fedtune run --resume {}", files.folder.string()));
  }
  add_remarks(events, record);
  return record;
}

RunRecord load_run(const fs::path& folder) {
  if (!fs::is_directory(folder))
    throw input_error("{}: there is no such folder; give the folder of a run", folder.string());
  const fs::path results = folder / "results.json", events = folder / "events.jsonl";
  if (!fs::exists(results) && !fs::exists(events) && !fs::exists(folder / "config.toml")) {
    throw input_error("{}: not a run's folder: it holds neither results.json nor events.jsonl", folder.string());
  }
  const std::string text = fs::exists(events) ? read_file(events) : "";
  return run_record({.folder = folder, .results = fs::exists(results) ? load_json(results) : json(), .events = text});
}

}  // namespace fedtune::report
