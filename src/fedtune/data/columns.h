// From table rows to labelled sentences: where the columns are, and what a label may be.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "fedtune/data/dataset.h"
#include "fedtune/data/table.h"

namespace fedtune::data {

// `source` names the file in messages; num_labels = 0 accepts any label from 0. All throw Error(input) naming file and
// line; none accepts an empty table.
struct LabelRules {
  std::string source;
  std::int64_t num_labels = 0;
  std::string unit = "line";  // what a row's number counts
};

// The names that columns of texts and labels may have, in GLUE's files and the hub's.
std::span<const std::string_view> known_columns();

// A header naming one or two columns of texts and one of labels, or CoLA's four columns without one. The texts are
// `sentence` or `text`, or two of: sentence1 and sentence2, question1 and question2, question and sentence, premise and
// hypothesis, `#1 String` and `#2 String`; labels are `label`, `gold_label`, `is_duplicate` or `Quality`. A label is an
// integer or one of GLUE's words: entailment (0), neutral and not_entailment (1), contradiction (2).
Sentences sentences_of(const Rows<Row>& rows, const LabelRules& rules);
// Keys of the same names.
Sentences sentences_of(const Rows<JsonRow>& rows, const LabelRules& rules);

}  // namespace fedtune::data
