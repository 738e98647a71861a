// The server's own work in a round of FedKDLoRA: its teacher, and the phases in which it learns and teaches.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "fedtune/data/batch.h"
#include "fedtune/fed/types.h"
#include "fedtune/models/classifier.h"
#include "fedtune/train/distill.h"
#include "fedtune/train/teacher_guard.h"

namespace fedtune::strategy {

struct DistillerOptions {
  int teacher_epochs = 1;                 // of the teacher alone, each round; 0 leaves the phase out
  int kd_epochs = 1;                      // of teacher and student together, each round; 0 leaves the phase out
  double lr = 5e-5;                       // of both phases, falling to 0 over each; 0 freezes the teacher
  std::optional<double> student_lr = {};  // of the student, where it is another
  int batch_size = 32;                    // sentences
  train::DistillLossOptions loss = {};
  bool guard = true;       // hold out the last tenth of the public share and stop the teacher once it gets worse there
  std::uint64_t seed = 0;  // of the run
  int workers = 1;         // threads; the result does not depend on how many
  // Polled between steps, where set; true throws Interrupted.
  std::function<bool()> stop = {};
  // Called after each step with its loss, where set.
  std::function<void(double loss)> on_step = {};
};

// The server's sentences: rows of a pool that outlives their users.
struct PublicShare {
  std::span<const data::Example> examples = {};
  std::vector<std::uint32_t> rows = {};
};

// Throws Error(usage) when `sentences` are too few to distil on: none, or one where the guard holds one out.
void require_enough_public(std::size_t sentences, bool guard);

// Owns the teacher. Called from one thread.
class Distiller {
 public:
  // `teacher` as it was loaded, with a head; every parameter of it is trained unless its rate is 0. `share` in file
  // order. Throws Error(usage) as require_enough_public.
  Distiller(const models::SequenceClassifier& teacher, PublicShare share, DistillerOptions options);

  // One round: the teacher alone, then both; `student` is trained in place. A function of the round, the student and
  // the state.
  void distil(int round, models::SequenceClassifier& student);

  const models::SequenceClassifier& teacher() const { return teacher_; }
  // The round that last changed the teacher; 0 before any has.
  int since() const { return since_; }
  // Whether the teacher learns no more: the guard has stopped it, or its rate is 0.
  bool stopped() const { return options_.lr == 0.0 || (guard_ && guard_->state().stopped); }

  // Teacher and guard, for a checkpoint: see fed::Strategy.
  fed::StrategyState state() const;
  void restore(const fed::StrategyState& state);

 private:
  train::TrainOptions training(int round, int epochs) const;
  void train_teacher(int round);
  // Whether the teacher may go on.
  bool check_teacher();

  models::SequenceClassifier teacher_;
  PublicShare share_;  // what the guard holds out is not part of it
  DistillerOptions options_;
  std::optional<train::TeacherGuard> guard_;
  int since_ = 0;
};

}  // namespace fedtune::strategy
