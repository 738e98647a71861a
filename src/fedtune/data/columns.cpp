#include "fedtune/data/columns.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "fedtune/base/error.h"

namespace fedtune::data {
namespace {

constexpr std::int64_t most_labels = 65536;  // more classes than any task has: a column of something else

struct Columns {
  std::size_t sentence = 0;
  std::size_t label = 0;
  std::size_t count = 0;
  bool header = true;
};

std::string place(const LabelRules& rules, std::int64_t line) {
  return fmt::format("{}, line {}", rules.source, line);
}

std::optional<std::int64_t> parse_integer(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::int32_t check_label(std::int64_t label, const LabelRules& rules, std::int64_t line) {
  const std::int64_t limit = rules.num_labels > 0 ? rules.num_labels : most_labels;
  if (label < 0 || label >= limit) {
    throw input_error("{}: label {} is outside 0 .. {}", place(rules, line), label, limit - 1);
  }
  return static_cast<std::int32_t>(label);
}

std::int32_t parse_label(const std::string& text, const LabelRules& rules, std::int64_t line) {
  const auto label = parse_integer(text);
  if (!label) throw input_error("{}: the label is '{}', expected an integer", place(rules, line), text);
  return check_label(*label, rules, line);
}

Columns find_columns(const Row& first, const LabelRules& rules) {
  const auto& fields = first.fields;
  const auto sentence = std::find(fields.begin(), fields.end(), "sentence");
  const auto label = std::find(fields.begin(), fields.end(), "label");
  if (sentence != fields.end() && label != fields.end()) {
    return {.sentence = static_cast<std::size_t>(sentence - fields.begin()),
            .label = static_cast<std::size_t>(label - fields.begin()),
            .count = fields.size()};
  }
  if (fields.size() == 4 && parse_integer(fields[1])) {
    return {.sentence = 3, .label = 1, .count = 4, .header = false};
  }
  throw input_error(
      "{}: found {} column{} without the names `sentence` and `label`; expected a header row with both names (or "
      "CoLA's four columns)",
      place(rules, first.line), fields.size(), fields.size() == 1 ? "" : "s");
}

void require_rows(std::size_t rows, const LabelRules& rules) {
  if (rows == 0) throw input_error("{}: no sentences in it; expected at least one row", rules.source);
}

}  // namespace

std::vector<Sentence> sentences_of(std::vector<Row> rows, const LabelRules& rules) {
  require_rows(rows.size(), rules);
  const Columns columns = find_columns(rows.front(), rules);
  const std::size_t begin = columns.header ? 1 : 0;
  require_rows(rows.size() - begin, rules);
  std::vector<Sentence> sentences;
  sentences.reserve(rows.size() - begin);
  for (std::size_t i = begin; i < rows.size(); ++i) {
    Row& row = rows[i];
    if (row.fields.size() != columns.count) {
      throw input_error("{}: found {} column{}, expected {}", place(rules, row.line), row.fields.size(),
                        row.fields.size() == 1 ? "" : "s", columns.count);
    }
    sentences.push_back({.text = std::move(row.fields[columns.sentence]),
                         .label = parse_label(row.fields[columns.label], rules, row.line)});
  }
  return sentences;
}

std::vector<Sentence> sentences_of(std::vector<JsonRow> rows, const LabelRules& rules) {
  require_rows(rows.size(), rules);
  std::vector<Sentence> sentences;
  sentences.reserve(rows.size());
  for (const JsonRow& row : rows) {
    const auto sentence = row.object.find("sentence");
    const auto label = row.object.find("label");
    if (sentence == row.object.end() || !sentence->is_string()) {
      throw input_error("{}: expected a text under the key `sentence`", place(rules, row.line));
    }
    if (label == row.object.end() || !label->is_number_integer()) {
      throw input_error("{}: expected an integer under the key `label`", place(rules, row.line));
    }
    sentences.push_back(
        {.text = sentence->get<std::string>(), .label = check_label(label->get<std::int64_t>(), rules, row.line)});
  }
  return sentences;
}

}  // namespace fedtune::data
