#include "fedtune/train/metrics.h"

#include <cmath>

#include "fedtune/base/error.h"

namespace fedtune::train {

ConfusionMatrix::ConfusionMatrix(std::int64_t classes) : classes_(classes) {
  if (classes < 2) throw failed("scoring: a classification has at least 2 classes, not {}", classes);
  counts_.resize(static_cast<std::size_t>(classes * classes));
}

void ConfusionMatrix::add(const Outcome& outcome) {
  for (const std::int64_t label : {outcome.truth, outcome.predicted}) {
    if (label < 0 || label >= classes_) throw failed("scoring: class {} is not in 0 .. {}", label, classes_ - 1);
  }
  ++counts_[static_cast<std::size_t>(outcome.truth * classes_ + outcome.predicted)];
  ++total_;
}

std::int64_t ConfusionMatrix::count(const Outcome& outcome) const {
  return counts_.at(static_cast<std::size_t>(outcome.truth * classes_ + outcome.predicted));
}

std::int64_t ConfusionMatrix::truths(std::int64_t of) const {
  std::int64_t sum = 0;
  for (std::int64_t predicted = 0; predicted < classes_; ++predicted) sum += count({of, predicted});
  return sum;
}

std::int64_t ConfusionMatrix::predictions(std::int64_t of) const {
  std::int64_t sum = 0;
  for (std::int64_t truth = 0; truth < classes_; ++truth) sum += count({truth, of});
  return sum;
}

double ConfusionMatrix::accuracy() const {
  if (total_ == 0) return 0.0;
  std::int64_t right = 0;
  for (std::int64_t label = 0; label < classes_; ++label) right += count({label, label});
  return static_cast<double>(right) / static_cast<double>(total_);
}

// R_K = (c s - sum_k p_k t_k) / sqrt((s^2 - sum_k p_k^2) (s^2 - sum_k t_k^2)), with c right answers of s, class k being
// true t_k times and predicted p_k times; for two classes it is Matthews' coefficient.
double ConfusionMatrix::mcc() const {
  double right = 0.0;
  double both = 0.0;
  double predicted_squares = 0.0;
  double true_squares = 0.0;
  for (std::int64_t label = 0; label < classes_; ++label) {
    const auto predicted = static_cast<double>(predictions(label));
    const auto truth = static_cast<double>(truths(label));
    right += static_cast<double>(count({label, label}));
    both += predicted * truth;
    predicted_squares += predicted * predicted;
    true_squares += truth * truth;
  }
  const auto all = static_cast<double>(total_);
  const double spread = (all * all - predicted_squares) * (all * all - true_squares);
  return spread > 0.0 ? (right * all - both) / std::sqrt(spread) : 0.0;
}

double ConfusionMatrix::f1_of(std::int64_t positive) const {
  const std::int64_t marked = truths(positive) + predictions(positive);
  return marked == 0 ? 0.0 : 2.0 * static_cast<double>(count({positive, positive})) / static_cast<double>(marked);
}

double ConfusionMatrix::f1() const {
  if (classes_ == 2) return f1_of(1);
  double sum = 0.0;
  int occurring = 0;
  for (std::int64_t label = 0; label < classes_; ++label) {
    if (truths(label) + predictions(label) == 0) continue;
    sum += f1_of(label);
    ++occurring;
  }
  return occurring == 0 ? 0.0 : sum / occurring;
}

}  // namespace fedtune::train
