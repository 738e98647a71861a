// Scores of a model on labelled sentences.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fedtune/data/batch.h"
#include "fedtune/models/classifier.h"

namespace fedtune::train {

// One sentence's prediction.
struct Prediction {
  std::int32_t label = 0;     // argmax, the lowest index on a tie
  std::vector<float> logits;  // [num_labels]
};

struct Scores {
  std::int64_t sentences = 0;
  double loss = 0.0;            // mean cross-entropy per sentence
  double reference_loss = 0.0;  // sum over batches of the batch's mean loss, over the number of sentences
  double accuracy = 0.0;
  double mcc = 0.0;  // Matthews correlation; for more than two classes Gorodkin's R_K
  double f1 = 0.0;   // of class 1; macro average for more than two classes
};

struct EvaluateOptions {
  int batch_size = 32;
  int workers = 1;  // batches are spread over threads; the result does not depend on how many
};

// In order, dropout off, no gradients.
std::vector<Prediction> predict(const models::SequenceClassifier& model, std::span<const data::Example> examples,
                                const EvaluateOptions& options);
// Scores of predictions made elsewhere: one per example, in order. Throws Error(input) when there are no sentences.
Scores score(std::span<const Prediction> predictions, std::span<const data::Example> examples, int batch_size);
// predict, then score.
Scores evaluate(const models::SequenceClassifier& model, std::span<const data::Example> examples,
                const EvaluateOptions& options);
// Share of the most frequent label.
double majority_accuracy(std::span<const data::Example> examples);

}  // namespace fedtune::train
