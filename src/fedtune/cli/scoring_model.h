// A trained model as eval and predict load it: a checkpoint, with or without an adapter.
#pragma once

#include "fedtune/cli/options.h"
#include "fedtune/models/classifier.h"
#include "fedtune/text/tokenizer.h"

namespace fedtune::cli {

struct ScoringModel {
  models::SequenceClassifier model;  // frozen, on the device asked for
  text::Tokenizer tokenizer;
  std::int64_t max_length = 0;  // tokens per sentence
};

// `options` are resolved. Throws Error(usage), Error(input): also for a checkpoint without a head, where no adapter
// brings one.
ScoringModel load_scoring_model(const Options& options);

}  // namespace fedtune::cli
