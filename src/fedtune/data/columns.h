// From table rows to labelled sentences: where the columns are, and what a label may be.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fedtune/data/dataset.h"
#include "fedtune/data/table.h"

namespace fedtune::data {

// `source` names the file in messages; num_labels = 0 accepts any label from 0. All throw Error(input) naming file and
// line; none accepts an empty table.
struct LabelRules {
  std::string source;
  std::int64_t num_labels = 0;
};

// A header naming `sentence` and `label`, or CoLA's four columns without one.
std::vector<Sentence> sentences_of(std::vector<Row> rows, const LabelRules& rules);
// The keys `sentence` and `label`.
std::vector<Sentence> sentences_of(std::vector<JsonRow> rows, const LabelRules& rules);

}  // namespace fedtune::data
