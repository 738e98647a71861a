#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "fedtune/base/error.h"
#include "fedtune/cli/command.h"
#include "fedtune/cli/controls.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/cli/scoring_model.h"
#include "fedtune/data/examples.h"
#include "fedtune/train/evaluate.h"

namespace fedtune::cli {
namespace {

// Lines answered together; enough to keep every worker busy, few enough that a pipe is answered soon.
constexpr std::size_t lines_at_once = 1024;

std::vector<double> softmax(const std::vector<float>& logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> probabilities;
  double sum = 0.0;
  for (const float logit : logits) sum += probabilities.emplace_back(std::exp(logit - largest));
  for (double& probability : probabilities) probability /= sum;
  return probabilities;
}

nlohmann::ordered_json texts_of(const data::Sentence& sentence) {
  if (!sentence.second) return {{"sentence", sentence.text}};
  return {{"sentence1", sentence.text}, {"sentence2", *sentence.second}};
}

class Labeller {
 public:
  Labeller(const Options& options, std::string source)
      : options_(options), scoring_(load_scoring_model(options)), source_(std::move(source)) {}

  void label(std::istream& input) {
    data::Sentences sentences;
    for (std::string line; std::getline(input, line);) {
      if (line.ends_with('\r')) line.pop_back();
      sentences.push_back(options_.score.pairs ? pair_of(line, answered_ + sentences.size() + 1)
                                               : data::Sentence{.text = std::move(line)});
      if (sentences.size() == lines_at_once) answer(sentences);
    }
    if (input.bad()) throw input_error("reading {}: the device reports an error", source_);
    if (!sentences.empty()) answer(sentences);
  }

 private:
  data::Sentence pair_of(const std::string& line, std::size_t number) const {
    const std::size_t tab = line.find('\t');
    const auto columns = std::ranges::count(line, '\t') + 1;
    if (columns != 2) {
      throw input_error("{}, line {}: found {} column{}, expected 2: --pairs reads two texts with a tab between them",
                        source_, number, columns, columns == 1 ? "" : "s");
    }
    return {.text = line.substr(0, tab), .second = line.substr(tab + 1)};
  }

  void answer(data::Sentences& sentences) {
    const std::vector<data::Example> examples =
        with_context(fmt::format("{}, lines {} to {}", source_, answered_ + 1, answered_ + sentences.size()), [&] {
          return data::tokenize(sentences, scoring_.tokenizer,
                                {.max_length = scoring_.max_length, .workers = workers_of(options_)});
        });
    const auto predictions = train::predict(scoring_.model, examples, evaluate_options(options_));
    for (std::size_t i = 0; i < sentences.size(); ++i) print(sentences[i], predictions[i]);
    answered_ += sentences.size();
    sentences.clear();
  }

  void print(const data::Sentence& sentence, const train::Prediction& prediction) const {
    const std::vector<double> probabilities = softmax(prediction.logits);
    if (options_.score.json) {
      nlohmann::ordered_json object = texts_of(sentence);
      object["label"] = prediction.label;
      object["probabilities"] = probabilities;
      fmt::print("{}\n", object.dump());
    } else {
      fmt::print("{}\t{:.6f}\n", prediction.label, fmt::join(probabilities, "\t"));
    }
  }

  const Options& options_;
  ScoringModel scoring_;
  std::string source_;
  std::size_t answered_ = 0;
};

}  // namespace

void predict_command(const CommandLine& line) {
  const Options options = resolve_for_scoring(line.options);
  if (line.positionals.empty() || line.positionals.front() == "-") {
    Labeller(options, "standard input").label(std::cin);
    return;
  }
  const std::string& path = line.positionals.front();
  std::ifstream file(path);
  if (!file || std::filesystem::is_directory(path)) throw input_error("{}: cannot be read; expected a text file", path);
  Labeller(options, path).label(file);
}

}  // namespace fedtune::cli
