// Keeps a teacher from unlearning: the best one so far, and the end of its training once it gets worse.
#pragma once

#include <limits>
#include <vector>

#include "fedtune/train/evaluate.h"

namespace fedtune::train {

class TeacherGuard {
 public:
  // The teacher is judged by its mean loss on `held_out`, which it is not trained on.
  TeacherGuard(std::vector<data::Example> held_out, const EvaluateOptions& options);

  // What outlives the process; the best teacher is the one that the server holds between rounds.
  struct State {
    double best_loss =
        std::numeric_limits<double>::infinity();  // of the best teacher; infinite before the first training
    bool stopped = false;
  };
  const State& state() const { return state_; }
  // Goes on from a saved state.
  void restore(const State& state);

  // Before a teacher trains: it is the best so far.
  void begin(const models::SequenceClassifier& teacher);
  // After an epoch. True: no worse than before, it is the best now. False: worse; `teacher` holds the best again, is
  // frozen (models::freeze_all) and trains no more.
  bool check(models::SequenceClassifier& teacher);

 private:
  double loss_of(const models::SequenceClassifier& teacher) const;

  std::vector<data::Example> held_out_;
  EvaluateOptions options_;
  State state_;
  bool begun_ = false;  // in this process
  models::SequenceClassifier best_;
};

}  // namespace fedtune::train
