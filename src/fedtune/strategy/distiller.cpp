#include "fedtune/strategy/distiller.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include "fedtune/base/error.h"
#include "fedtune/io/parameters.h"
#include "fedtune/models/checkpoint.h"

namespace fedtune::strategy {
namespace {

constexpr std::size_t held_out_share = 10;  // one in so many

// Names among the teacher's tensors; no checkpoint has them.
constexpr const char* best_loss_name = "guard.best_loss";
constexpr const char* stopped_name = "guard.stopped";

// Cuts the last tenth, at least one sentence, off the share.
std::vector<data::Example> hold_out(PublicShare& share) {
  const std::size_t count = std::max<std::size_t>(share.rows.size() / held_out_share, 1);
  std::vector<data::Example> held_out;
  const std::size_t kept = share.rows.size() - count;
  for (std::size_t i = kept; i < share.rows.size(); ++i) held_out.push_back(share.examples[share.rows[i]]);
  share.rows.resize(kept);
  return held_out;
}

template <typename Number>
Number number_in(const NamedTensors& tensors, std::string_view name) {
  const TensorView* const view = tensors.find(name);
  if (view == nullptr || view->bytes.size() != sizeof(Number)) {
    throw input_error("the saved teacher: {} is missing or of another size; the checkpoint is of another version",
                      name);
  }
  Number number{};
  std::memcpy(&number, view->bytes.data(), sizeof(Number));
  return number;
}

}  // namespace

void require_enough_public(std::size_t sentences, bool guard) {
  if (sentences == 0) {
    throw usage_error("distillation: the public share has no sentences; give a larger --teacher-data-pct");
  }
  if (guard && sentences < 2) {
    throw usage_error(
        "distillation: the public share has 1 sentence, and the teacher guard holds one out; give a larger "
        "--teacher-data-pct, or --teacher-guard off");
  }
}

Distiller::Distiller(const models::SequenceClassifier& teacher, PublicShare share, DistillerOptions options)
    : teacher_(models::trainable_copy(teacher)), share_(std::move(share)), options_(std::move(options)) {
  require_enough_public(share_.rows.size(), options_.guard);
  if (options_.lr == 0.0) models::freeze_all(teacher_);
  if (options_.guard) {
    guard_.emplace(hold_out(share_),
                   train::EvaluateOptions{.batch_size = options_.batch_size, .workers = options_.workers});
  }
}

train::TrainOptions Distiller::training(int round, int epochs) const {
  train::TrainOptions training{.epochs = epochs, .batch_size = options_.batch_size, .threads = options_.workers};
  training.phase = {.optimizer = {.lr = options_.lr},
                    .schedule = train::Schedule::linear_decay,
                    .place = {.seed = options_.seed, .round = static_cast<std::uint32_t>(round)},
                    .stop = options_.stop};
  if (options_.on_step) {
    training.phase.on_step = [this](std::int64_t /*step*/, double loss) { options_.on_step(loss); };
  }
  return training;
}

bool Distiller::check_teacher() {
  return !stopped() && (!guard_ || guard_->check(teacher_));
}

void Distiller::train_teacher(int round) {
  train::TrainOptions alone = training(round, options_.teacher_epochs);
  alone.phase.place.role = ModelRole::teacher;
  alone.on_epoch = [this](int /*epoch*/) { return check_teacher(); };
  train::train(teacher_, share_.examples, share_.rows, alone);
}

void Distiller::distil(int round, models::SequenceClassifier& student) {
  if (!stopped() && options_.teacher_epochs + options_.kd_epochs > 0) {
    since_ = round;
    if (guard_) guard_->begin(teacher_);
    if (options_.teacher_epochs > 0) train_teacher(round);
  }
  if (options_.kd_epochs == 0) return;
  train::DistillOptions both{
      .training = training(round, options_.kd_epochs), .student_lr = options_.student_lr, .loss = options_.loss};
  both.training.on_epoch = [this](int /*epoch*/) {
    check_teacher();
    return true;
  };
  train::distill({.teacher = teacher_, .student = student}, share_.examples, share_.rows, both);
}

fed::StrategyState Distiller::state() const {
  if (since_ == 0) return {};
  io::Parameters tensors = teacher_.parameters();
  for (io::Parameter& parameter : tensors) parameter.tensor = parameter.tensor.detach().to(at::kCPU);
  if (guard_) {
    tensors.push_back({best_loss_name, at::tensor({guard_->state().best_loss}, at::kDouble)});
    tensors.push_back({stopped_name, at::tensor({guard_->state().stopped ? 1 : 0}, at::kByte)});
  }
  return {.since = since_, .tensors = io::named_tensors_from(tensors)};
}

void Distiller::restore(const fed::StrategyState& state) {
  since_ = state.since;
  if (since_ == 0) return;
  NamedTensors weights = state.tensors;
  std::erase_if(weights.tensors, [](const TensorView& view) { return view.name.starts_with("guard."); });
  io::assign(teacher_.parameters(), weights);
  if (!guard_) return;
  guard_->restore({.best_loss = number_in<double>(state.tensors, best_loss_name),
                   .stopped = number_in<std::uint8_t>(state.tensors, stopped_name) != 0});
  if (guard_->state().stopped) models::freeze_all(teacher_);
}

}  // namespace fedtune::strategy
