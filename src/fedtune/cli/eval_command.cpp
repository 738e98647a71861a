#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "fedtune/cli/command.h"
#include "fedtune/cli/controls.h"
#include "fedtune/cli/federation.h"
#include "fedtune/cli/option_values.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/cli/scoring_model.h"
#include "fedtune/data/examples.h"
#include "fedtune/train/evaluate.h"

namespace fedtune::cli {
namespace {

struct SplitScores {
  std::string file;
  train::Scores scores;
  double majority = 0.0;
};

nlohmann::ordered_json to_json(const SplitScores& split) {
  const train::Scores& scores = split.scores;
  return {
      {"file", split.file}, {"sentences", scores.sentences}, {"accuracy", scores.accuracy},        {"mcc", scores.mcc},
      {"f1", scores.f1},    {"loss", scores.loss},           {"majority_accuracy", split.majority}};
}

std::string to_text(const SplitScores& split) {
  const train::Scores& scores = split.scores;
  constexpr std::string_view row = "  {:<12}{:.4f}{}\n";
  return fmt::format("{}: {} sentences\n\n", split.file, scores.sentences) +
         fmt::format(row, "accuracy", scores.accuracy, fmt::format("   majority {:.4f}", split.majority)) +
         fmt::format(row, "MCC", scores.mcc, "") + fmt::format(row, "F1", scores.f1, "") +
         fmt::format(row, "loss", scores.loss, "");
}

}  // namespace

void eval_command(const CommandLine& line) {
  const Options options = resolve_for_scoring(line.options);
  const ScoringModel scoring = load_scoring_model(options);
  data::DatasetOptions wanted = dataset_options(options);
  wanted.num_labels = scoring.model.config.num_labels;
  const data::Dataset dataset = data::load_dataset(wanted);
  const bool validation = options.score.split == Split::validation;
  const std::vector<data::Example> examples =
      data::tokenize(validation ? dataset.validation : dataset.train, scoring.tokenizer,
                     {.max_length = scoring.max_length, .workers = workers_of(options)});
  const SplitScores split{.file = (validation ? dataset.files.validation : dataset.files.train).string(),
                          .scores = train::evaluate(scoring.model, examples, evaluate_options(options)),
                          .majority = train::majority_accuracy(examples)};
  fmt::print("{}", options.score.json ? to_json(split).dump() + "\n" : to_text(split));
}

}  // namespace fedtune::cli
