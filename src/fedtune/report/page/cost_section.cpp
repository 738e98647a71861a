#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "fedtune/report/page/bar_chart.h"
#include "fedtune/report/page/sections.h"
#include "fedtune/report/units.h"

namespace fedtune::report {
namespace {

struct Phase {
  const char* name;
  double RoundSeconds::*seconds;
};
constexpr std::array<Phase, 5> phases{{{"clients train", &RoundSeconds::train},
                                       {"distil", &RoundSeconds::distil},
                                       {"evaluate", &RoundSeconds::evaluate},
                                       {"average", &RoundSeconds::aggregate},
                                       {"wait", &RoundSeconds::wait}}};
constexpr std::size_t most_bars_of_rounds = 16;

double bytes_until(const RunRecord& run, int round) {
  double bytes = 0.0;
  for (const RoundBytes& entry : run.results.bytes) {
    if (entry.round <= round) bytes += static_cast<double>(entry.up + entry.down);
  }
  return bytes;
}

// Accuracy against all that was sent until then; from the first round on, as nothing was sent before.
Line accuracy_by_bytes(const Group& group, double unit) {
  Line line{.label = group.label, .look = group.look, .points = {}};
  for (Point point : series(group, [](const RoundMetrics& m) { return m.accuracy; })) {
    double bytes = 0.0;
    for (const RunRecord* run : group.runs) bytes += bytes_until(*run, static_cast<int>(point.x));
    point.x = bytes / static_cast<double>(group.runs.size()) / unit;
    if (point.x > 0.0) line.points.push_back(point);
  }
  return line;
}

std::string bytes_figure(const Study& study) {
  double most = 0.0;
  for (const RunRecord& run : study.runs()) most = std::max(most, bytes_until(run, run.results.metrics.back().round));
  const bool large = most >= 1e9;
  LineChart chart{.title = "Accuracy against bytes",
                  .x_title = large ? "GB sent, all clients, both ways" : "MB sent, all clients, both ways",
                  .summary = {},
                  .whole_x = false,
                  .lines = {}};
  double lowest = 1e300, highest = 0.0;
  for (const Group& group : study.groups()) {
    chart.lines.push_back(accuracy_by_bytes(group, large ? 1e9 : 1e6));
    for (const Point& point : chart.lines.back().points) {
      lowest = std::min(lowest, point.x);
      highest = std::max(highest, point.x);
    }
  }
  if (highest == 0.0) return "";
  if (study.groups().size() > 1 && highest > 30 * lowest) chart.x_spacing = Spacing::logarithmic;
  std::string note = "What a score costs: each mark is a round.";
  if (chart.x_spacing == Spacing::logarithmic) note += " The axis of bytes is logarithmic.";
  return line_figure(std::move(chart), std::move(note));
}

std::vector<double> phase_seconds(const RoundSeconds& seconds) {
  std::vector<double> parts;
  for (const Phase& phase : phases) parts.push_back(seconds.*phase.seconds);
  return parts;
}

BarChart empty_chart(std::string title) {
  BarChart chart{.title = std::move(title), .summary = {}, .parts = {}, .bars = {}};
  for (const Phase& phase : phases) chart.parts.emplace_back(phase.name);
  return chart;
}

// Says where the time goes.
void note_longest(BarChart& chart) {
  double all = 0.0;
  std::vector<double> sums(phases.size());
  for (const Bar& bar : chart.bars) {
    for (std::size_t i = 0; i < bar.parts.size(); ++i) sums[i] += std::isfinite(bar.parts[i]) ? bar.parts[i] : 0.0;
  }
  std::size_t longest = 0;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    all += sums[i];
    if (sums[i] > sums[longest]) longest = i;
  }
  if (all > 0.0) {
    chart.summary =
        fmt::format("{}: {:.0f} % of the time, the largest part.", phases[longest].name, 100 * sums[longest] / all);
  }
}

Table time_table(const BarChart& chart, std::string first_column) {
  Table table{.caption = fmt::format("{}, seconds", chart.title), .columns = {std::move(first_column)}};
  for (const Phase& phase : phases) table.columns.emplace_back(phase.name);
  for (const Bar& bar : chart.bars) {
    std::vector<std::string> row{bar.label};
    for (const double part : bar.parts) row.push_back(std::isfinite(part) ? fmt::format("{:.3f}", part) : "-");
    table.rows.push_back(std::move(row));
  }
  return table;
}

// Many rounds: a bar is the mean of consecutive ones.
std::string rounds_figure(const RunRecord& run) {
  const std::vector<RoundSeconds>& rounds = run.results.seconds;
  if (rounds.empty()) return "";
  BarChart chart = empty_chart("Time of each round");
  const std::size_t each = (rounds.size() + most_bars_of_rounds - 1) / most_bars_of_rounds;
  for (std::size_t begin = 0; begin < rounds.size(); begin += each) {
    const std::size_t end = std::min(begin + each, rounds.size());
    Bar bar{.label = end - begin == 1 ? fmt::format("round {}", rounds[begin].round)
                                      : fmt::format("{}\xe2\x80\x93{}", rounds[begin].round, rounds[end - 1].round),
            .parts = std::vector<double>(phases.size()),
            .total = {}};
    for (std::size_t r = begin; r < end; ++r) {
      const std::vector<double> parts = phase_seconds(rounds[r]);
      for (std::size_t i = 0; i < parts.size(); ++i) bar.parts[i] += parts[i] / static_cast<double>(end - begin);
    }
    bar.total = seconds_text(sum_of(bar.parts));
    chart.bars.push_back(std::move(bar));
  }
  note_longest(chart);
  const std::string note = fmt::format("Wall clock of the phases{}. {}",
                                       each > 1 ? "; a bar is the mean of consecutive rounds" : "", chart.summary);
  return to_html(Figure{.title = chart.title, .note = note, .svg = to_svg(chart), .table = time_table(chart, "round")});
}

// Several runs: the whole time of each contender, mean over its seeds.
std::string totals_figure(const Study& study) {
  BarChart chart = empty_chart("Time of all rounds");
  for (const Group& group : study.groups()) {
    Bar bar{.label = group.label, .parts = std::vector<double>(phases.size()), .total = {}};
    for (const RunRecord* run : group.runs) {
      for (const RoundSeconds& round : run->results.seconds) {
        const std::vector<double> parts = phase_seconds(round);
        for (std::size_t i = 0; i < parts.size(); ++i)
          bar.parts[i] += parts[i] / static_cast<double>(group.runs.size());
      }
    }
    bar.total = seconds_text(sum_of(bar.parts));
    chart.bars.push_back(std::move(bar));
  }
  note_longest(chart);
  return to_html(Figure{.title = chart.title,
                        .note = "Wall clock of the phases, summed over the rounds. " + chart.summary,
                        .svg = to_svg(chart),
                        .table = time_table(chart, "contender")});
}

}  // namespace

std::string cost_section(const Study& study) {
  const std::string figures =
      bytes_figure(study) + (study.is_one_run() ? rounds_figure(study.runs().front()) : totals_figure(study));
  return to_html(Section{.id = "cost",
                         .title = "Cost",
                         .lead = "Bytes are tensors as sent, summed over the clients; seconds depend on the machine.",
                         .body = fmt::format("<div class=\"figures\">{}</div>\n", figures)});
}

}  // namespace fedtune::report
