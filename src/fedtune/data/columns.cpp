#include "fedtune/data/columns.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "fedtune/base/error.h"

namespace fedtune::data {
namespace {

constexpr std::int64_t most_labels = 65536;  // more classes than any task has: a column of something else

// How the texts of a task are called; one text where the second is empty. A pair is looked for first.
struct TextColumns {
  std::string_view first, second;
};
constexpr std::array<TextColumns, 7> text_columns{{{"sentence1", "sentence2"},
                                                   {"question1", "question2"},
                                                   {"question", "sentence"},
                                                   {"premise", "hypothesis"},
                                                   {"#1 String", "#2 String"},
                                                   {"sentence", ""},
                                                   {"text", ""}}};
constexpr std::array<std::string_view, 4> label_columns{"label", "gold_label", "is_duplicate", "Quality"};

struct LabelWord {
  std::string_view word;
  std::int64_t label;
};
constexpr std::array<LabelWord, 4> label_words{
    {{"entailment", 0}, {"neutral", 1}, {"not_entailment", 1}, {"contradiction", 2}}};

struct Columns {
  std::size_t sentence = 0;
  std::size_t label = 0;
  std::size_t count = 0;
  bool header = true;
  std::optional<std::size_t> second{};
};

std::string place(const LabelRules& rules, std::int64_t line) {
  return fmt::format("{}, {} {}", rules.source, rules.unit, line);
}

std::optional<std::int64_t> parse_integer(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::int32_t check_label(std::int64_t label, const LabelRules& rules, std::int64_t line) {
  if (label == -1) {
    throw input_error(
        "{}: label -1 stands for one that is kept secret (the test sets of GLUE); give a file with labels",
        place(rules, line));
  }
  const std::int64_t limit = rules.num_labels > 0 ? rules.num_labels : most_labels;
  if (label < 0 || label >= limit) {
    throw input_error("{}: label {} is outside 0 .. {}", place(rules, line), label, limit - 1);
  }
  return static_cast<std::int32_t>(label);
}

std::int32_t parse_label(const std::string& text, const LabelRules& rules, std::int64_t line) {
  auto label = parse_integer(text);
  const auto word = std::ranges::find(label_words, text, &LabelWord::word);
  if (word != label_words.end()) label = word->label;
  if (!label && text.empty()) {
    throw input_error("{}: the label is '', expected a whole number from 0; give the row its label or take it out",
                      place(rules, line));
  }
  if (!label) {
    throw input_error("{}: the label is '{}', expected a whole number from 0; number the classes 0, 1 and so on",
                      place(rules, line), text);
  }
  return check_label(*label, rules, line);
}

// Where a column is; nothing where there is none.
std::optional<std::size_t> position(const std::vector<std::string>& fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name);
  if (name.empty() || found == fields.end()) return std::nullopt;
  return static_cast<std::size_t>(found - fields.begin());
}

std::optional<Columns> columns_by_name(const std::vector<std::string>& fields) {
  std::optional<std::size_t> label;
  for (const std::string_view name : label_columns) {
    if (!label) label = position(fields, name);
  }
  if (!label) return std::nullopt;
  for (const TextColumns& texts : text_columns) {
    const auto first = position(fields, texts.first);
    const auto second = position(fields, texts.second);
    if (!first || (!second && !texts.second.empty())) continue;
    return Columns{.sentence = *first, .label = *label, .count = fields.size(), .second = second};
  }
  return std::nullopt;
}

// ": `review`, `opinion`", or nothing where they are too long for names: the first row is then one of texts.
std::string names_found(const std::vector<std::string>& fields) {
  constexpr std::size_t most = 6, longest = 24;
  if (fields.size() > most) return "";
  std::string names;
  for (const std::string& field : fields) {
    if (field.empty() || field.size() > longest) return "";
    names += fmt::format("{} `{}`", names.empty() ? ":" : ",", field);
  }
  return names;
}

// Where all stands in one field, as it does when the file's separator is another.
std::string separator_hint(const std::vector<std::string>& fields) {
  if (fields.size() != 1) return "";
  for (const auto& [separator, name] : {std::pair{'\t', "tabs"}, {';', "semicolons"}, {',', "commas"}, {'|', "bars"}}) {
    if (fields.front().find(separator) == std::string::npos) continue;
    return fmt::format("; its columns seem to stand between {}, but a .csv is read by commas and a .tsv by tabs", name);
  }
  return "";
}

Columns find_columns(const Row& first, const LabelRules& rules) {
  const auto& fields = first.fields;
  if (const auto columns = columns_by_name(fields)) return *columns;
  if (fields.size() == 4 && parse_integer(fields[1])) {
    return {.sentence = 3, .label = 1, .count = 4, .header = false};
  }
  throw input_error(
      "{}: found {} column{} without the names `sentence` and `label`{}{}; expected a header row with both (`text` "
      "does for `sentence`), or with those of a pair such as `sentence1`, `sentence2` and `label` (or CoLA's four "
      "columns)",
      place(rules, first.line), fields.size(), fields.size() == 1 ? "" : "s", names_found(fields),
      separator_hint(fields));
}

// A row that has not the columns of the first.
[[noreturn]] void refuse_row(const Row& row, std::size_t expected, const LabelRules& rules) {
  const std::size_t found = row.fields.size();
  std::string remedy;
  if (found == 1 && row.fields.front().empty()) {
    remedy = "; the line is empty: take it out";
  } else if (found > expected && rules.source.ends_with(".csv")) {
    remedy = "; a text that holds a comma stands in double quotes";
  } else if (found > expected && rules.source.ends_with(".tsv")) {
    remedy = "; a text of a .tsv cannot hold a tab: take it out, or use a .csv";
  }
  throw input_error("{}: found {} column{}, expected {} as in the first row{}", place(rules, row.line), found,
                    found == 1 ? "" : "s", expected, remedy);
}

Sentences some(Sentences sentences, const LabelRules& rules) {
  if (sentences.empty()) throw input_error("{}: no sentences in it; expected at least one row", rules.source);
  return sentences;
}

bool has_text(const JsonRow& row, std::string_view key) {
  const auto found = row.object.find(key);
  return found != row.object.end() && found->is_string();
}

TextColumns text_keys(const JsonRow& row, const LabelRules& rules) {
  for (const TextColumns& texts : text_columns) {
    if (has_text(row, texts.first) && (texts.second.empty() || has_text(row, texts.second))) return texts;
  }
  throw input_error(
      "{}: expected a text under the key `sentence` or `text`, or a pair such as `sentence1` and `sentence2`",
      place(rules, row.line));
}

std::int32_t label_of(const JsonRow& row, const LabelRules& rules) {
  for (const std::string_view key : label_columns) {
    const auto label = row.object.find(key);
    if (label == row.object.end()) continue;
    if (label->is_number_integer()) return check_label(label->get<std::int64_t>(), rules, row.line);
    const std::string text = label->is_string() ? label->get<std::string>() : "";
    const auto word = std::ranges::find(label_words, text, &LabelWord::word);
    if (word != label_words.end()) return check_label(word->label, rules, row.line);
  }
  throw input_error("{}: expected an integer under the key `label`: a whole number from 0", place(rules, row.line));
}

}  // namespace

std::span<const std::string_view> known_columns() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all(label_columns.begin(), label_columns.end());
    for (const TextColumns& texts : text_columns) {
      all.push_back(texts.first);
      if (!texts.second.empty()) all.push_back(texts.second);
    }
    return all;
  }();
  return names;
}

Sentences sentences_of(const Rows<Row>& rows, const LabelRules& rules) {
  std::optional<Columns> columns;
  Sentences sentences;
  rows([&](Row& row) {
    if (!columns) {
      columns = find_columns(row, rules);
      if (columns->header) return;
    }
    if (row.fields.size() != columns->count) refuse_row(row, columns->count, rules);
    sentences.push_back({.text = std::move(row.fields[columns->sentence]),
                         .label = parse_label(row.fields[columns->label], rules, row.line)});
    if (columns->second) sentences.back().second = std::move(row.fields[*columns->second]);
  });
  return some(std::move(sentences), rules);
}

Sentences sentences_of(const Rows<JsonRow>& rows, const LabelRules& rules) {
  Sentences sentences;
  rows([&](JsonRow& row) {
    const TextColumns texts = text_keys(row, rules);
    sentences.push_back({.text = row.object.at(texts.first).get<std::string>(), .label = label_of(row, rules)});
    if (!texts.second.empty()) sentences.back().second = row.object.at(texts.second).get<std::string>();
  });
  return some(std::move(sentences), rules);
}

}  // namespace fedtune::data
