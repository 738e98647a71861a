#include "fedtune/train/evaluate.h"

#include <algorithm>
#include <map>
#include <numeric>

#include <c10/core/InferenceMode.h>

#include "fedtune/base/error.h"
#include "fedtune/base/parallel.h"
#include "fedtune/nn/thread.h"
#include "fedtune/train/device_batch.h"
#include "fedtune/train/loss.h"
#include "fedtune/train/metrics.h"

namespace fedtune::train {
namespace {

// Sentences first .. first + count - 1 of a set.
struct Slice {
  std::size_t first = 0;
  std::size_t count = 0;
};

std::vector<Slice> batches_of(std::size_t sentences, int batch_size) {
  if (batch_size < 1) throw usage_error("scoring: batches of {} sentences; at least 1 is needed", batch_size);
  std::vector<Slice> slices;
  const auto size = static_cast<std::size_t>(batch_size);
  for (std::size_t first = 0; first < sentences; first += size) {
    slices.push_back({first, std::min(size, sentences - first)});
  }
  return slices;
}

at::Tensor logits_of(const models::SequenceClassifier& model, std::span<const data::Example> examples,
                     const Slice& slice) {
  std::vector<std::uint32_t> rows(slice.count);
  std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(slice.first));
  const models::Batch batch = to_batch(data::pack(examples, rows), model);
  return model.forward(batch, {}).logits.to(at::kCPU, at::kFloat).contiguous();  // [sentences, classes]
}

Prediction prediction_of(std::span<const float> logits) {
  const auto largest = std::max_element(logits.begin(), logits.end());
  return {.label = static_cast<std::int32_t>(largest - logits.begin()), .logits = {logits.begin(), logits.end()}};
}

}  // namespace

std::vector<Prediction> predict(const models::SequenceClassifier& model, std::span<const data::Example> examples,
                                const EvaluateOptions& options) {
  const std::vector<Slice> slices = batches_of(examples.size(), options.batch_size);
  std::vector<Prediction> predictions(examples.size());
  run_parallel({.count = slices.size(), .workers = options.workers}, [&](std::size_t index) {
    nn::prepare_worker_thread();
    const c10::InferenceMode inference;
    const Slice& slice = slices[index];
    const at::Tensor logits = logits_of(model, examples, slice);
    const auto classes = static_cast<std::size_t>(logits.size(1));
    for (std::size_t row = 0; row < slice.count; ++row) {
      predictions[slice.first + row] = prediction_of({logits.data_ptr<float>() + row * classes, classes});
    }
  });
  return predictions;
}

Scores score(std::span<const Prediction> predictions, std::span<const data::Example> examples, int batch_size) {
  if (examples.empty()) throw input_error("scoring: there are no sentences");
  ConfusionMatrix confusion(static_cast<std::int64_t>(predictions.front().logits.size()));
  Scores scores{.sentences = static_cast<std::int64_t>(examples.size())};
  double batch_means = 0.0;
  for (const Slice& slice : batches_of(examples.size(), batch_size)) {
    double batch_loss = 0.0;
    for (std::size_t index = slice.first; index < slice.first + slice.count; ++index) {
      confusion.add({.truth = examples[index].label, .predicted = predictions[index].label});
      batch_loss += cross_entropy(predictions[index].logits, examples[index].label);
    }
    scores.loss += batch_loss;
    batch_means += batch_loss / static_cast<double>(slice.count);
  }
  scores.loss /= static_cast<double>(scores.sentences);
  scores.reference_loss = batch_means / static_cast<double>(scores.sentences);
  scores.accuracy = confusion.accuracy();
  scores.mcc = confusion.mcc();
  scores.f1 = confusion.f1();
  return scores;
}

Scores evaluate(const models::SequenceClassifier& model, std::span<const data::Example> examples,
                const EvaluateOptions& options) {
  return score(predict(model, examples, options), examples, options.batch_size);
}

double majority_accuracy(std::span<const data::Example> examples) {
  if (examples.empty()) return 0.0;
  std::map<std::int32_t, std::size_t> counts;
  for (const data::Example& example : examples) ++counts[example.label];
  std::size_t largest = 0;
  for (const auto& [label, count] : counts) largest = std::max(largest, count);
  return static_cast<double>(largest) / static_cast<double>(examples.size());
}

}  // namespace fedtune::train
