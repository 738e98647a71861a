#include <cstdio>

#include <fmt/format.h>

#include "fedtune/base/atomic_folder.h"
#include "fedtune/base/clock.h"
#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/cli/command.h"
#include "fedtune/cli/controls.h"
#include "fedtune/cli/option_values.h"
#include "fedtune/cli/pretraining.h"
#include "fedtune/cli/step_profile.h"
#include "fedtune/report/progress.h"
#include "fedtune/train/evaluate.h"

namespace fedtune::cli {
namespace {

namespace fs = std::filesystem;

// In the saved folder: what it was made with.
constexpr std::string_view made_with = "fedtune.toml";

// Whether the folder is there already, made with the same options. Throws Error(usage) when it is there and was not.
bool is_made(const fs::path& folder, const Options& options) {
  if (!fs::exists(folder)) return false;
  constexpr std::string_view remedy = "give another --output, or remove it";
  if (!fs::exists(folder / made_with)) throw usage_error("{} is there already; {}", folder.string(), remedy);
  Options there;
  set_options(read_config(folder / made_with), there);
  const std::string differing = pretraining_differences(options, there);
  if (differing.empty()) return true;
  throw usage_error("{} was made with other options: {}; {}", folder.string(), differing, remedy);
}

// Shows how far the training has come, and scores the teacher after each epoch.
class Watch {
 public:
  Watch(const Options& options, const Pretraining& pretraining, report::Progress& progress)
      : options_(options), pretraining_(pretraining), progress_(progress) {
    state_.unit = "epoch";
    state_.phase = "training";
    state_.round = 1;
    state_.rounds = options.distill.teacher_pretrain_epochs;
    state_.metric_name = "MCC";
    const auto batch = static_cast<std::size_t>(options.training.batch_size);
    steps_per_epoch_ = static_cast<std::int64_t>((pretraining.public_share.size() + batch - 1) / batch);
  }

  PretrainingWatch callbacks() {
    return {.on_resume = [this](std::int64_t steps) { on_resume(steps); },
            .on_step = [this](std::int64_t step, double loss) { on_step(step + 1, loss); },
            .on_epoch = [this](int epoch) { on_epoch(epoch + 1); }};
  }

  // Of the last epoch.
  const train::Scores& scores() const { return scores_; }

 private:
  void on_resume(std::int64_t steps) {
    before_ = steps;
    state_.round = static_cast<int>(steps / steps_per_epoch_) + 1;
    progress_.print_line(fmt::format("going on after step {}", steps));
  }

  void on_step(std::int64_t done, double loss) {
    const auto steps = static_cast<double>(done - before_);
    const double seconds = clock_.seconds() - scoring_seconds_;
    state_.part = static_cast<double>((done - 1) % steps_per_epoch_ + 1) / static_cast<double>(steps_per_epoch_);
    state_.loss = loss;
    state_.sentences_per_second = steps * options_.training.batch_size / seconds;
    const double left = static_cast<double>(steps_per_epoch_) * state_.rounds - static_cast<double>(done);
    state_.seconds_left = seconds / steps * left;
    progress_.update(state_);
  }

  void on_epoch(int done) {
    state_.phase = "evaluating";
    progress_.update(state_);
    const Stopwatch scoring;
    scores_ = train::evaluate(pretraining_.teacher, pretraining_.validation, evaluate_options(options_));
    scoring_seconds_ += scoring.seconds();
    state_.phase = "training";
    state_.loss = scores_.loss;
    state_.metric = scores_.mcc;
    progress_.round_done(state_);
    state_.round = done + 1;
  }

  const Options& options_;
  const Pretraining& pretraining_;
  report::Progress& progress_;
  report::ProgressState state_;
  Stopwatch clock_;
  double scoring_seconds_ = 0.0;
  std::int64_t steps_per_epoch_ = 1;
  std::int64_t before_ = 0;  // steps of the process that was cut
  train::Scores scores_;
};

void save(const Pretraining& pretraining, const Options& options, AtomicFolder& folder) {
  models::save_checkpoint(folder.path(), models::to_device(pretraining.teacher, c10::Device(c10::kCPU)));
  pretraining.tokenizer.save(folder.path());
  write_file_atomically(folder.path() / made_with, pretraining_text(options));
  folder.commit();
}

std::string summary(const Pretraining& pretraining, const train::Scores& scores, const fs::path& folder) {
  constexpr std::string_view row = "  {:<10}{}\n";
  return fmt::format("\nteacher: {} public sentences, scored on {}\n\n", pretraining.public_share.size(),
                     scores.sentences) +
         fmt::format(row, "loss", fmt::format("{:.4f}", scores.loss)) +
         fmt::format(row, "accuracy",
                     fmt::format("{:.4f}   majority {:.4f}", scores.accuracy,
                                 train::majority_accuracy(pretraining.validation))) +
         fmt::format(row, "MCC", fmt::format("{:.4f}   F1 {:.4f}", scores.mcc, scores.f1)) +
         fmt::format(row, "model", folder.string());
}

}  // namespace

void pretrain_command(const CommandLine& line) {
  install_interrupt_handlers();
  const Options options = resolve_for_pretraining(line.options);
  const fs::path folder = fs::path(options.run.output) / "model" / pretraining_name(options);
  const fs::path checkpoint = folder.string() + ".checkpoint";
  if (is_made(folder, options)) {
    fs::remove_all(checkpoint);  // of a process that was killed right after it had saved
    if (!options.run.quiet)
      fmt::print("{} is there already, made with these options; nothing is changed\n", folder.string());
    return;
  }
  Pretraining pretraining = load_pretraining(options);
  throw_if_interrupted();

  AtomicFolder saved(folder);  // early: a place that cannot be written to is known before the training
  report::Progress progress(report::progress_mode_from(options.run.quiet ? "none" : word(options.run.progress)));
  for (const std::string& note : pretraining.notes) progress.print_line(fmt::format("note: {}", note));
  Watch watch(options, pretraining, progress);
  start_step_profile(options);
  try {
    pretrain(pretraining, options, checkpoint, watch.callbacks());
  } catch (const Interrupted&) {
    progress.finish();
    std::fputs(
        fmt::format("fedtune: interrupted; the same command goes on from here ({})\n", checkpoint.string()).c_str(),
        stderr);
    throw;
  }
  save(pretraining, options, saved);
  fs::remove_all(checkpoint);
  progress.finish();
  print_step_profile(options);
  if (!options.run.quiet) fmt::print("{}", summary(pretraining, watch.scores(), folder));
}

}  // namespace fedtune::cli
