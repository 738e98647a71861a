#include "fedtune/worker/controls.h"

#include <algorithm>

#include "fedtune/base/parallel.h"
#include "fedtune/nn/thread.h"

namespace fedtune::worker {
namespace {

// Rank 0 is no client's, and round 0 no federation's: a control draws its own shuffles and masks.
train::TrainOptions control_options(const ControlOptions& options, int rank) {
  train::TrainOptions training = train_options(options.client, {.round = 0, .rank = rank});
  training.epochs = options.rounds * options.client.epochs;
  training.phase.stop = options.stop;
  return training;
}

std::vector<std::uint32_t> union_of(const Shares& shares) {
  std::vector<std::uint32_t> rows;
  for (const auto& share : shares.rows) rows.insert(rows.end(), share.begin(), share.end());
  std::sort(rows.begin(), rows.end());
  return rows;
}

train::Scores mean_of(std::span<const train::Scores> scores) {
  train::Scores mean{.sentences = scores.front().sentences};
  const auto count = static_cast<double>(scores.size());
  for (const train::Scores& one : scores) {
    mean.loss += one.loss / count;
    mean.reference_loss += one.reference_loss / count;
    mean.accuracy += one.accuracy / count;
    mean.mcc += one.mcc / count;
    mean.f1 += one.f1 / count;
  }
  return mean;
}

}  // namespace

std::vector<train::Scores> train_central(const train::StudentTemplate& student, const Shares& shares,
                                         const ControlOptions& options) {
  nn::prepare_worker_thread();
  models::SequenceClassifier model = student.for_training(student.initial());
  std::vector<train::Scores> scores;
  train::TrainOptions training = control_options(options, /*rank=*/0);
  training.threads = options.evaluate.workers;
  training.on_epoch = [&](int epoch) {
    if ((epoch + 1) % options.client.epochs == 0) {
      scores.push_back(train::evaluate(model, options.validation, options.evaluate));
    }
    return true;
  };
  train::train(model, shares.examples, union_of(shares), training);
  return scores;
}

LocalOnly train_local_only(const train::StudentTemplate& student, const Shares& shares, const ControlOptions& options) {
  LocalOnly result;
  result.clients.resize(shares.rows.size());
  train::EvaluateOptions alone = options.evaluate;
  alone.workers = 1;
  run_parallel({.count = shares.rows.size(), .workers = options.evaluate.workers}, [&](std::size_t index) {
    nn::prepare_worker_thread();
    models::SequenceClassifier model = student.for_training(student.initial());
    train::train(model, shares.examples, shares.rows[index], control_options(options, static_cast<int>(index) + 1));
    result.clients[index] = train::evaluate(model, options.validation, alone);
  });
  result.mean = mean_of(result.clients);
  return result;
}

}  // namespace fedtune::worker
