#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "fedtune/report/page/bar_chart.h"
#include "fedtune/report/page/sections.h"
#include "fedtune/report/units.h"

namespace fedtune::report {
namespace {

constexpr std::size_t most_rows_drawn = 24, most_columns = 40;
constexpr std::size_t most_maps = 6;

// The clients of a run by rounds: norms where they contributed, crosses where they were left out.
struct Contributions {
  std::vector<int> rounds;
  std::map<int, std::map<int, Contribution>> by_rank;               // rank, round
  std::map<int, std::map<int, std::vector<std::string>>> left_out;  // rank, round, reasons
};

Contributions contributions_of(const RunRecord& run) {
  Contributions all;
  for (const ClientShare& client : run.results.clients) all.by_rank[client.rank];
  for (const RoundDetail& detail : run.details) {
    if (detail.contributions.empty() && detail.excluded.empty()) continue;
    all.rounds.push_back(detail.round);
    for (const Contribution& entry : detail.contributions) all.by_rank[entry.rank][detail.round] = entry;
    for (const Exclusion& entry : detail.excluded) {
      all.by_rank[entry.rank];
      all.left_out[entry.rank][detail.round].push_back(entry.reason);
    }
  }
  return all;
}

// Each k-th of what is too much to draw.
template <typename T>
std::vector<T> every_so_many(const std::vector<T>& all, std::size_t most) {
  const std::size_t step = std::max<std::size_t>((all.size() + most - 1) / most, 1);
  std::vector<T> some;
  for (std::size_t i = 0; i < all.size(); i += step) some.push_back(all[i]);
  return some;
}

// Clients that were left out are drawn before others where there are too many.
std::vector<int> ranks_drawn(const Contributions& all) {
  std::vector<int> others, drawn;
  for (const auto& [rank, rounds] : all.by_rank) {
    const bool notable = all.left_out.contains(rank) && drawn.size() < most_rows_drawn / 2;
    (notable ? drawn : others).push_back(rank);
  }
  const std::vector<int> some = every_so_many(others, most_rows_drawn - drawn.size());
  drawn.insert(drawn.end(), some.begin(), some.end());
  std::ranges::sort(drawn);
  return drawn;
}

CellMap norms_map(const Contributions& all) {
  CellMap map{.title = "Size of each client's change", .summary = {}, .x_title = "round", .columns = {}, .rows = {}};
  const std::vector<int> rounds = every_so_many(all.rounds, most_columns);
  for (const int round : rounds) map.columns.push_back(std::to_string(round));
  for (const int rank : ranks_drawn(all)) {
    CellRow row{.label = fmt::format("client {}", rank), .cells = {}, .crossed = {}};
    const auto& given = all.by_rank.at(rank);
    for (const int round : rounds) {
      const auto found = given.find(round);
      row.cells.push_back(found == given.end() ? std::nullopt : std::optional(found->second.norm));
      const auto missed = all.left_out.find(rank);
      row.crossed.push_back(missed != all.left_out.end() && missed->second.contains(round) && !row.cells.back());
    }
    map.rows.push_back(std::move(row));
  }
  return map;
}

struct Span {
  double low = 1e300, high = 0.0;
};
Span norms(const Contributions& all) {
  Span span;
  for (const auto& [rank, rounds] : all.by_rank) {
    for (const auto& [round, entry] : rounds) {
      span = {.low = std::min(span.low, entry.norm), .high = std::max(span.high, entry.norm)};
    }
  }
  return span;
}

Table contributions_table(const Contributions& all, const std::string& of) {
  Table table{.caption = "Contributions" + of,
              .columns = {"client", "rounds", "left out", "share of the mean", "norm, mean", "norm, greatest",
                          "cosine with the mean, mean"}};
  for (const auto& [rank, rounds] : all.by_rank) {
    double share = 0.0, norm = 0.0, greatest = 0.0, cosine = 0.0;
    for (const auto& [round, entry] : rounds) {
      share += entry.share;
      norm += entry.norm;
      greatest = std::max(greatest, entry.norm);
      cosine += entry.cosine;
    }
    const auto count = static_cast<double>(rounds.size());
    const auto missed = all.left_out.find(rank);
    const auto mean = [&, none = rounds.empty()](double sum) { return none ? "-" : number_text(sum / count); };
    table.rows.push_back({fmt::format("client {}", rank), std::to_string(rounds.size()),
                          std::to_string(missed == all.left_out.end() ? 0 : missed->second.size()), mean(share),
                          mean(norm), rounds.empty() ? "-" : number_text(greatest), mean(cosine)});
  }
  return table;
}

std::string exclusions(const Contributions& all, const std::string& of) {
  Table table{.caption = fmt::format("Left out{}", of), .columns = {"client", "round", "reason"}, .numeric = false};
  for (const auto& [rank, rounds] : all.left_out) {
    for (const auto& [round, reasons] : rounds) {
      for (const std::string& reason : reasons) {
        table.rows.push_back({fmt::format("client {}", rank), std::to_string(round), reason});
      }
    }
  }
  return table.rows.empty() ? "" : to_html(table);
}

std::string figure_of(const Contributions& all, const std::string& of) {
  CellMap map = norms_map(all);
  const Span span = norms(all);
  map.title += of;
  map.summary = fmt::format("Norms from {} to {} over {} clients and {} rounds.", number_text(span.low),
                            number_text(span.high), all.by_rank.size(), all.rounds.size());
  std::string note = fmt::format(
      "L2 norm of what a client changed: darkest {}, lightest 0. A dot: it gave nothing. A cross: it was left out.",
      number_text(span.high));
  if (all.by_rank.size() > map.rows.size()) {
    note += fmt::format(" {} of {} clients are drawn.", map.rows.size(), all.by_rank.size());
  }
  return to_html(Figure{.title = map.title, .note = note, .svg = to_svg(map), .table = contributions_table(all, of)});
}

}  // namespace

std::string clients_section(const Study& study) {
  std::string figures, tables;
  std::size_t drawn = 0;
  for (const Group& group : study.groups()) {
    for (const RunRecord* run : group.runs) {
      const Contributions all = contributions_of(*run);
      const std::string of = study.is_one_run() ? "" : fmt::format(", {}", run->name);
      tables += exclusions(all, of);
      const bool first_of_group = run == group.runs.front();
      if (all.rounds.empty() || !first_of_group || drawn == most_maps) continue;
      figures += figure_of(all, of);
      ++drawn;
    }
  }
  if (figures.empty() && tables.empty()) return "";
  return to_html(Section{.id = "clients",
                         .title = "Clients' contributions",
                         .lead = study.is_one_run() ? "What each client changed, weighed and missed."
                                                    : "What each client changed, weighed and missed; of the first run "
                                                      "of each contender.",
                         .body = fmt::format("<div class=\"figures\">{}</div>\n{}", figures, tables)});
}

}  // namespace fedtune::report
