#include <algorithm>

#include <fmt/format.h>

#include "fedtune/report/sweep_table.h"
#include "fedtune/report/units.h"

namespace fedtune::report {
namespace {

using Cells = std::vector<std::string>;

// Width on a terminal: bytes that do not continue a UTF-8 sequence.
std::size_t columns_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string markdown_line(const Cells& cells, const std::vector<std::size_t>& widths) {
  std::string line = "|";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += fmt::format(" {}{} |", cells[i], std::string(widths[i] - columns_of(cells[i]), ' '));
  }
  return line + "\n";
}

std::string markdown_table(const Cells& head, const std::vector<Cells>& rows) {
  std::vector<std::size_t> widths;
  Cells rules;
  for (std::size_t i = 0; i < head.size(); ++i) {
    std::size_t widest = std::max<std::size_t>(columns_of(head[i]), 3);
    for (const Cells& row : rows) widest = std::max(widest, columns_of(row[i]));
    widths.push_back(widest);
    rules.emplace_back(widest, '-');
  }
  std::string text = markdown_line(head, widths) + markdown_line(rules, widths);
  for (const Cells& row : rows) text += markdown_line(row, widths);
  return text;
}

// A '|' would end the cell.
std::string cell_text(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped.push_back('\\');
    escaped.push_back(c);
  }
  return escaped;
}

std::string estimate_text(const Estimate& estimate) {
  return estimate.half_width ? fmt::format("{:.4f} ± {:.4f}", estimate.mean, *estimate.half_width)
                             : fmt::format("{:.4f}", estimate.mean);
}

Cells escaped(const Cells& cells) {
  Cells result;
  for (const std::string& cell : cells) result.push_back(cell_text(cell));
  return result;
}

std::string rows_text(const SweepTable& table) {
  Cells head = table.columns;
  for (const char* name :
       {"runs", "accuracy", "MCC", "loss", "majority", "bytes/client/round", "seconds", "sentences/s"}) {
    head.emplace_back(name);
  }
  std::vector<Cells> rows;
  for (const TableRow& row : table.rows) {
    Cells cells = escaped(row.configuration);
    cells.push_back(fmt::format("{}", row.accuracy.count));
    for (const Estimate* each : {&row.accuracy, &row.mcc, &row.loss}) cells.push_back(estimate_text(*each));
    cells.push_back(fmt::format("{:.4f}", row.mean.majority));
    cells.push_back(bytes_text(row.mean.bytes));
    cells.push_back(fmt::format("{:.1f}", row.mean.seconds));
    cells.push_back(fmt::format("{:.0f}", row.mean.sentences_per_second));
    rows.push_back(std::move(cells));
  }
  return markdown_table(head, rows) +
         "\nScores are of the last round; ± is half the 95 % interval of the mean over seeds (Student's t). majority "
         "is\n"
         "the accuracy of always answering the most frequent label; bytes go up and down.\n";
}

std::string comparisons_text(const SweepTable& table) {
  const auto row = [](const Comparison& comparison, const char* score, const PairedTest& test) {
    const Estimate& difference = test.difference;
    return Cells{fmt::format("{} - {}", cell_text(comparison.second), cell_text(comparison.first)),
                 score,
                 fmt::format("{}", difference.count),
                 fmt::format("{:+.4f}", difference.mean),
                 fmt::format("{:+.4f} .. {:+.4f}", difference.mean - difference.half_width.value_or(0.0),
                             difference.mean + difference.half_width.value_or(0.0)),
                 fmt::format("{:.2g}", test.p)};
  };
  Cells head{"difference", "score", "pairs", "mean", "95 % interval", "p"};
  std::vector<Cells> rows;
  for (const Comparison& comparison : table.comparisons) {
    rows.push_back(row(comparison, "accuracy", comparison.accuracy));
    rows.push_back(row(comparison, "MCC", comparison.mcc));
  }
  if (std::ranges::any_of(table.comparisons, [](const Comparison& each) { return !each.setting.empty(); })) {
    head.emplace_back("setting");
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].push_back(cell_text(table.comparisons[i / 2].setting));
  }
  return "\n## Schemes compared over equal seeds\n\n" + markdown_table(head, rows) + "\nPaired t-test, two-sided.\n";
}

std::string tuning_text(const SweepTable& table) {
  std::vector<Cells> rows;
  rows.reserve(table.tuning.size());
  for (const TunedValue& value : table.tuning) {
    rows.push_back({cell_text(value.group), cell_text(value.value), value.score, value.chosen ? "chosen" : ""});
  }
  return "\n## Tuning\n\n" + markdown_table({"for", "tried", table.tuning_metric, ""}, rows) +
         "\nScored on the last part of the training rows (--tune-slice), never on the validation set.\n";
}

std::string failed_text(const SweepTable& table) {
  std::string text = "\n## Failed runs\n\n";
  for (const FailedRun& run : table.failed) text += fmt::format("- {}: {}\n", run.name, run.reason);
  return text;
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  quoted.push_back('"');
  return quoted;
}

std::string csv_line(const Cells& cells) {
  std::string line;
  for (const std::string& cell : cells) line += csv_cell(cell) + ",";
  line.back() = '\n';
  return line;
}

}  // namespace

std::string to_markdown(const SweepTable& table) {
  std::string text = fmt::format("# {}\n\n", table.name) + rows_text(table);
  if (!table.comparisons.empty()) text += comparisons_text(table);
  if (!table.tuning.empty()) text += tuning_text(table);
  if (!table.failed.empty()) text += failed_text(table);
  return text;
}

std::string to_csv(const SweepTable& table) {
  Cells head = table.columns;
  for (const char* name : {"runs", "accuracy", "accuracy_95", "mcc", "mcc_95", "loss", "loss_95", "majority",
                           "bytes_per_client_and_round", "seconds", "sentences_per_second"}) {
    head.emplace_back(name);
  }
  std::string text = csv_line(head);
  for (const TableRow& row : table.rows) {
    Cells cells = row.configuration;
    cells.push_back(fmt::format("{}", row.accuracy.count));
    for (const Estimate* each : {&row.accuracy, &row.mcc, &row.loss}) {
      cells.push_back(fmt::format("{}", each->mean));
      cells.push_back(each->half_width ? fmt::format("{}", *each->half_width) : "");
    }
    for (const double value : {row.mean.majority, row.mean.bytes, row.mean.seconds, row.mean.sentences_per_second}) {
      cells.push_back(fmt::format("{}", value));
    }
    text += csv_line(cells);
  }
  return text;
}

}  // namespace fedtune::report
