#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "fedtune/report/page/bar_chart.h"
#include "fedtune/report/page/sections.h"
#include "fedtune/report/units.h"

namespace fedtune::report {
namespace {

const RoundDetail* detail_of(const RunRecord& run, int round) {
  const auto found = std::ranges::find(run.details, round, &RoundDetail::round);
  return found == run.details.end() || found->averaging_errors.empty() ? nullptr : &*found;
}

double mean_error(const RunRecord& run, int round) {
  const RoundDetail* detail = detail_of(run, round);
  if (detail == nullptr) return std::nan("");
  double sum = 0.0;
  for (const LayerError& error : detail->averaging_errors) sum += error.relative;
  return sum / static_cast<double>(detail->averaging_errors.size());
}

// Rounds with an error in every run of the group.
std::vector<int> rounds_of(const Group& group) {
  std::vector<int> rounds;
  for (const RoundDetail& detail : group.runs.front()->details) {
    const bool all =
        std::ranges::all_of(group.runs, [&](const RunRecord* run) { return detail_of(*run, detail.round) != nullptr; });
    if (all) rounds.push_back(detail.round);
  }
  return rounds;
}

// "layer.2" before "layer.10".
bool in_natural_order(const std::string& a, const std::string& b) {
  std::size_t i = 0, j = 0;
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  while (i < a.size() && j < b.size()) {
    if (digit(a[i]) && digit(b[j])) {
      std::size_t i_end = i, j_end = j;
      while (i_end < a.size() && digit(a[i_end])) ++i_end;
      while (j_end < b.size() && digit(b[j_end])) ++j_end;
      const std::string left = a.substr(i, i_end - i), right = b.substr(j, j_end - j);
      if (left.size() != right.size()) return left.size() < right.size();
      if (left != right) return left < right;
      i = i_end;
      j = j_end;
    } else {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i;
      ++j;
    }
  }
  return a.size() - i < b.size() - j;
}

// The part of a layer's name that tells it from the others: "0 query".
std::string short_name(const std::string& layer) {
  std::string number, last;
  std::string piece;
  for (const char c : layer + ".") {
    if (c != '.') {
      piece += c;
      continue;
    }
    if (!piece.empty() &&
        std::ranges::all_of(piece, [](char d) { return std::isdigit(static_cast<unsigned char>(d)); })) {
      number = piece;
    }
    last = piece;
    piece.clear();
  }
  return number.empty() ? last : fmt::format("{} {}", number, last);
}

std::string layers_figure(const RunRecord& run, const std::string& of) {
  std::vector<std::string> layers;
  for (const RoundDetail& detail : run.details) {
    for (const LayerError& error : detail.averaging_errors) {
      if (std::ranges::find(layers, error.layer) == layers.end()) layers.push_back(error.layer);
    }
  }
  std::ranges::sort(layers, in_natural_order);
  CellMap map{.title = "By layer" + of, .summary = {}, .x_title = "round", .columns = {}, .rows = {}};
  Table table{.caption = "Averaging error by layer" + of, .columns = {"layer"}};
  for (const std::string& layer : layers) map.rows.push_back({.label = short_name(layer), .cells = {}, .crossed = {}});
  for (const std::string& layer : layers) table.rows.push_back({layer});
  constexpr std::size_t most_columns = 40;
  const std::size_t step = std::max<std::size_t>((run.details.size() + most_columns - 1) / most_columns, 1);
  double greatest = 0.0;
  for (std::size_t d = 0; d < run.details.size(); d += step) {
    const RoundDetail& detail = run.details[d];
    map.columns.push_back(std::to_string(detail.round));
    table.columns.push_back(fmt::format("round {}", detail.round));
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const auto found = std::ranges::find(detail.averaging_errors, layers[l], &LayerError::layer);
      const bool known = found != detail.averaging_errors.end();
      map.rows[l].cells.push_back(known ? std::optional(found->relative) : std::nullopt);
      table.rows[l].push_back(known ? number_text(found->relative) : "-");
      if (known) greatest = std::max(greatest, found->relative);
    }
  }
  map.summary = fmt::format("The greatest error of a layer is {}.", number_text(greatest));
  return to_html(Figure{.title = map.title,
                        .note = fmt::format("Darkest {}, lightest 0.", number_text(greatest)),
                        .svg = to_svg(map),
                        .table = table});
}

}  // namespace

std::string averaging_section(const Study& study) {
  LineChart chart{.title = "Error of the averaged adapters", .x_title = "round", .summary = {}, .lines = {}};
  std::string maps;
  for (const Group& group : study.groups()) {
    const std::vector<int> rounds = rounds_of(group);
    if (rounds.empty()) continue;
    chart.lines.push_back({.label = group.label, .look = group.look, .points = series(group, rounds, mean_error)});
    if (study.groups().size() <= 4) {
      maps +=
          layers_figure(*group.runs.front(), study.is_one_run() ? "" : fmt::format(", {}", group.runs.front()->name));
    }
  }
  if (chart.lines.empty()) return "";
  const std::string line = line_figure(std::move(chart),
                                       "Mean over the layers of |BA - mean of the clients' BA| over "
                                       "|mean of the clients' BA|, Frobenius norms.");
  return to_html(Section{
      .id = "averaging",
      .title = "What averaging A and B apart costs",
      .lead =
          "Clients' updates are products B A. Their exact mean is not the product of the mean B and the mean A that "
          "FedLoRA goes on with; this is how far it is off.",
      .body = fmt::format("<div class=\"figures\">{}{}</div>\n", line, maps)});
}

}  // namespace fedtune::report
