// Scores of a classification from its confusion counts.
#pragma once

#include <cstdint>
#include <vector>

namespace fedtune::train {

// How often each true class was predicted as each class.
class ConfusionMatrix {
 public:
  // classes >= 2.
  explicit ConfusionMatrix(std::int64_t classes);

  struct Outcome {
    std::int64_t truth = 0;
    std::int64_t predicted = 0;
  };
  // Throws Error(failed) for a class outside 0 .. classes-1.
  void add(const Outcome& outcome);

  std::int64_t count(const Outcome& outcome) const;
  std::int64_t total() const { return total_; }

  // Each is 0 where it is undefined (nothing counted, or a denominator of 0).
  double accuracy() const;
  // Matthews correlation coefficient; for more than two classes Gorodkin's R_K (2004).
  double mcc() const;
  // Of class 1; for more than two classes the mean over those that occur as truth or prediction.
  double f1() const;

 private:
  std::int64_t truths(std::int64_t of) const;
  std::int64_t predictions(std::int64_t of) const;
  double f1_of(std::int64_t positive) const;

  std::int64_t classes_;
  std::int64_t total_ = 0;
  std::vector<std::int64_t> counts_;  // [classes, classes], truth by prediction
};

}  // namespace fedtune::train
