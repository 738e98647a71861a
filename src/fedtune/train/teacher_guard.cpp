#include "fedtune/train/teacher_guard.h"

#include <cmath>
#include <utility>

#include "fedtune/models/checkpoint.h"

namespace fedtune::train {

TeacherGuard::TeacherGuard(std::vector<data::Example> held_out, const EvaluateOptions& options)
    : held_out_(std::move(held_out)), options_(options) {}

void TeacherGuard::restore(const State& state) {
  state_ = state;
  begun_ = false;
}

void TeacherGuard::begin(const models::SequenceClassifier& teacher) {
  if (begun_) return;
  begun_ = true;
  best_ = models::trainable_copy(teacher);
  if (std::isinf(state_.best_loss)) state_.best_loss = loss_of(teacher);
}

bool TeacherGuard::check(models::SequenceClassifier& teacher) {
  const double loss = loss_of(teacher);
  if (loss <= state_.best_loss) {
    state_.best_loss = loss;
    best_ = models::trainable_copy(teacher);
    return true;
  }
  teacher = std::exchange(best_, {});
  models::freeze_all(teacher);
  state_.stopped = true;
  return false;
}

double TeacherGuard::loss_of(const models::SequenceClassifier& teacher) const {
  return evaluate(teacher, held_out_, options_).loss;
}

}  // namespace fedtune::train
