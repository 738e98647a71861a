#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "fedtune/report/page/measures.h"
#include "fedtune/report/page/sections.h"
#include "fedtune/report/statistics.h"
#include "fedtune/report/units.h"

namespace fedtune::report {
namespace {

// "0.788", or "0.788 ± 0.012" where there are several seeds.
std::string spread(const Group& group, const Measure& measure) {
  const Estimate e = estimate(last_values(group, measure));
  if (!std::isfinite(e.mean)) return "-";
  return e.half_width ? fmt::format("{:.3f} \xc2\xb1 {:.3f}", e.mean, *e.half_width) : fmt::format("{:.4f}", e.mean);
}

// Bytes both ways, of a client in a round it took part in.
double bytes_per_client_and_round(const RunRecord& run) {
  double bytes = 0.0, asked = 0.0;
  for (const RoundBytes& round : run.results.bytes) bytes += static_cast<double>(round.up + round.down);
  for (const RoundDetail& detail : run.details) asked += static_cast<double>(detail.cohort.size());
  if (asked == 0.0) asked = static_cast<double>(run.results.bytes.size() * run.results.clients.size());
  return asked > 0.0 ? bytes / asked : std::nan("");
}

double total_bytes(const RunRecord& run) {
  double bytes = 0.0;
  for (const RoundBytes& round : run.results.bytes) bytes += static_cast<double>(round.up + round.down);
  return bytes;
}

template <typename Value>
double mean_of(const Group& group, Value value) {
  double sum = 0.0;
  for (const RunRecord* run : group.runs) sum += value(*run);
  return sum / static_cast<double>(group.runs.size());
}

double run_seconds(const RunRecord& run) {
  if (run.finished) return run.results.elapsed_seconds;
  double seconds = 0.0;
  for (const RoundSeconds& s : run.results.seconds) seconds += s.train + s.aggregate + s.distil + s.evaluate + s.wait;
  return seconds;
}

std::string optional_bytes(double bytes) {
  return std::isfinite(bytes) ? bytes_text(bytes) : "-";
}

std::string card(const std::string& name, const std::string& value, const std::string& note) {
  return fmt::format("<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>\n", escaped(name), escaped(value),
                     escaped(note));
}

std::string cards(const Group& group) {
  const RunRecord& run = *group.runs.front();
  std::string html = "<dl class=\"cards\">\n";
  html +=
      card("Accuracy", spread(group, accuracy), fmt::format("majority {}", number_text(run.results.majority_accuracy)));
  html += card("MCC", spread(group, mcc), "0: no better than chance");
  html += card("Loss", spread(group, loss), "mean cross-entropy");
  if (run.results.metrics.back().teacher) html += card("Teacher", spread(group, teacher_accuracy), "its accuracy");
  html += card("Sent", optional_bytes(mean_of(group, bytes_per_client_and_round)), "per client and round, both ways");
  html += card("Time", seconds_text(mean_of(group, run_seconds)),
               run.results.peak_rss_bytes > 0
                   ? fmt::format("{} of memory", bytes_text(static_cast<double>(run.results.peak_rss_bytes)))
                   : "so far");
  return html + "</dl>\n";
}

Table glance(const Study& study) {
  Table table{.caption = "All runs at a glance",
              .columns = {"contender", "seeds", "rounds", "accuracy", "MCC", "loss", "majority"}};
  if (study.has_teacher()) table.columns.emplace_back("teacher");
  for (const char* name : {"per client and round", "in all", "time"}) table.columns.emplace_back(name);
  for (const Group& group : study.groups()) {
    const RunRecord& run = *group.runs.front();
    std::string seeds;
    for (const RunRecord* each : group.runs)
      seeds += fmt::format("{}{}", seeds.empty() ? "" : ", ", each->results.seed);
    std::vector<std::string> row{group.label};
    for (const std::string& cell :
         {seeds, std::to_string(run.results.metrics.back().round), spread(group, accuracy), spread(group, mcc),
          spread(group, loss), number_text(run.results.majority_accuracy)}) {
      row.push_back(cell);
    }
    if (study.has_teacher()) row.push_back(spread(group, teacher_accuracy));
    row.push_back(optional_bytes(mean_of(group, bytes_per_client_and_round)));
    row.push_back(optional_bytes(mean_of(group, total_bytes)));
    row.push_back(seconds_text(mean_of(group, run_seconds)));
    table.rows.push_back(std::move(row));
  }
  return table;
}

// The options that differ; "-" where the scheme does not read one.
Table distinctions(const Study& study) {
  Table table{.caption = "What sets them apart", .columns = {"contender", "scheme"}};
  for (std::string name : study.distinctions()) {
    std::ranges::replace(name, '_', '-');
    table.columns.push_back(std::move(name));
  }
  for (const Group& group : study.groups()) {
    const RunRecord& run = *group.runs.front();
    std::vector<std::string> row{group.label, run.results.scheme};
    for (const std::string& key : study.distinctions()) {
      const std::string value = reads(run, key) ? config_value(run, key) : "";
      row.push_back(value.empty() ? "-" : value);
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string what_was_run(const RunRecord& run) {
  const std::string data = config_value(run, "data_path");
  return fmt::format("{}: {} on {}, {} clients, {} of {} rounds", run.results.scheme, config_value(run, "client_ckpt"),
                     data == "glue" ? fmt::format("GLUE {}", config_value(run, "data_name")) : data,
                     run.results.clients.size(), run.results.metrics.back().round, run.rounds_planned);
}

}  // namespace

std::string overview_section(const Study& study) {
  std::string body;
  for (const RunRecord& run : study.runs()) {
    for (const std::string& remark : run.remarks) {
      body += fmt::format("<p class=\"remark\"><strong>{}</strong>: {}</p>\n", escaped(run.name), escaped(remark));
    }
  }
  const bool several = study.groups().size() > 1;
  body += several ? to_html(glance(study)) : cards(study.groups().front());
  if (!study.distinctions().empty()) body += to_html(distinctions(study));
  std::string lead = what_was_run(study.runs().front()) + ".";
  if (several) {
    lead = fmt::format("{} runs of {} configurations, compared after their last rounds.", study.runs().size(),
                       study.groups().size());
  } else if (!study.is_one_run()) {
    lead += fmt::format(" {} seeds: mean \xc2\xb1 half the 95 % interval.", study.runs().size());
  }
  return to_html(Section{.id = "overview", .title = "Overview", .lead = lead, .body = body});
}

}  // namespace fedtune::report
