#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "fedtune/report/page/bar_chart.h"
#include "fedtune/report/page/sections.h"

namespace fedtune::report {
namespace {

constexpr std::size_t most_bars_of_clients = 20;

// How the sentences of a run are shared out; equal for runs that share them alike.
struct Shares {
  std::int64_t public_sentences = 0;
  std::vector<std::int64_t> public_labels;
  std::vector<ClientShare> clients;
  std::vector<std::string> runs;
};

bool alike(const Shares& shares, const RunResults& results) {
  return shares.public_labels == results.public_labels &&
         std::ranges::equal(shares.clients, results.clients,
                            [](const ClientShare& a, const ClientShare& b) { return a.labels == b.labels; });
}

std::vector<Shares> distinct_shares(const Study& study) {
  std::vector<Shares> list;
  for (const RunRecord& run : study.runs()) {
    const auto found = std::ranges::find_if(list, [&](const Shares& shares) { return alike(shares, run.results); });
    if (found != list.end()) {
      found->runs.push_back(run.name);
    } else if (!run.results.clients.empty()) {
      list.push_back({run.results.public_sentences, run.results.public_labels, run.results.clients, {run.name}});
    }
  }
  return list;
}

std::size_t count_classes(const Shares& shares) {
  std::size_t classes = shares.public_labels.size();
  for (const ClientShare& client : shares.clients) classes = std::max(classes, client.labels.size());
  return classes;
}

// Where there are many clients, a bar is the mean of consecutive ones.
std::vector<Bar> client_bars(const Shares& shares) {
  std::vector<Bar> bars;
  const std::size_t each = (shares.clients.size() + most_bars_of_clients - 1) / most_bars_of_clients;
  for (std::size_t begin = 0; begin < shares.clients.size(); begin += each) {
    const std::size_t end = std::min(begin + each, shares.clients.size());
    Bar bar{.label = end - begin == 1 ? fmt::format("client {}", shares.clients[begin].rank)
                                      : fmt::format("{}\xe2\x80\x93{}", begin + 1, end),
            .parts = std::vector<double>(count_classes(shares)),
            .total = {}};
    double sentences = 0.0;
    for (std::size_t i = begin; i < end; ++i) {
      const ClientShare& client = shares.clients[i];
      sentences += static_cast<double>(client.sentences) / static_cast<double>(end - begin);
      for (std::size_t c = 0; c < client.labels.size(); ++c) {
        bar.parts[c] += static_cast<double>(client.labels[c]) / static_cast<double>(end - begin);
      }
    }
    bar.total = fmt::format("{:.0f}", sentences);
    bars.push_back(std::move(bar));
  }
  return bars;
}

Table shares_table(const Shares& shares, const std::string& of) {
  Table table{.caption = "Sentences and labels of each share" + of, .columns = {"share", "sentences"}};
  const std::size_t classes = count_classes(shares);
  for (std::size_t c = 0; c < classes; ++c) table.columns.push_back(fmt::format("label {}", c));
  const auto add = [&](std::string name, std::int64_t sentences, const std::vector<std::int64_t>& labels) {
    std::vector<std::string> row{std::move(name), std::to_string(sentences)};
    for (std::size_t c = 0; c < classes; ++c) row.push_back(c < labels.size() ? std::to_string(labels[c]) : "-");
    table.rows.push_back(std::move(row));
  };
  if (shares.public_sentences > 0) add("public (server)", shares.public_sentences, shares.public_labels);
  for (const ClientShare& client : shares.clients) {
    add(fmt::format("client {}", client.rank), client.sentences, client.labels);
  }
  return table;
}

// All but the first, by name where they are few.
std::string others(const std::vector<std::string>& runs) {
  constexpr std::size_t few = 4;
  if (runs.size() > few) return fmt::format("{} other runs", runs.size() - 1);
  return fmt::format("{}", fmt::join(runs.begin() + 1, runs.end(), ", "));
}

std::string figure_of(const Shares& shares, bool name_runs) {
  const std::string of = name_runs ? fmt::format(", {}", shares.runs.front()) : "";
  BarChart chart{.title = "Sentences by label" + of, .summary = {}, .parts = {}, .bars = {}};
  for (std::size_t c = 0; c < count_classes(shares); ++c) chart.parts.push_back(fmt::format("label {}", c));
  if (!shares.public_labels.empty() && shares.public_sentences > 0) {
    std::vector<double> parts(shares.public_labels.begin(), shares.public_labels.end());
    parts.resize(chart.parts.size());  // a results.json may count fewer classes here than for a client
    chart.bars.push_back({"public", std::move(parts), std::to_string(shares.public_sentences)});
  }
  for (Bar& bar : client_bars(shares)) chart.bars.push_back(std::move(bar));
  chart.summary = fmt::format("A bar for each share: {} clients{}.", shares.clients.size(),
                              shares.public_sentences > 0 ? " and the public share of the server" : "");
  std::string note = chart.summary;
  if (shares.clients.size() > most_bars_of_clients) note += " Each bar is the mean of consecutive clients.";
  if (name_runs && shares.runs.size() > 1) note += fmt::format(" The same in {}.", others(shares.runs));
  return to_html(Figure{.title = chart.title, .note = note, .svg = to_svg(chart), .table = shares_table(shares, of)});
}

}  // namespace

std::string data_section(const Study& study) {
  constexpr std::size_t most_figures = 6;
  const std::vector<Shares> list = distinct_shares(study);
  if (list.empty()) return "";
  std::string figures;
  for (std::size_t i = 0; i < std::min(list.size(), most_figures); ++i) {
    figures += figure_of(list[i], list.size() > 1);
  }
  std::string lead = "Who trained on what.";
  if (list.size() > 1) {
    lead += fmt::format(" The runs share the sentences out in {} ways{}.", list.size(),
                        list.size() > most_figures ? fmt::format("; the first {} are shown", most_figures) : "");
  }
  const std::vector<std::int64_t>& validation = study.runs().front().results.validation_labels;
  if (!validation.empty()) lead += fmt::format(" Labels of the validation set: {}.", fmt::join(validation, " / "));
  return to_html(Section{
      .id = "data", .title = "Data", .lead = lead, .body = fmt::format("<div class=\"figures\">{}</div>\n", figures)});
}

}  // namespace fedtune::report
