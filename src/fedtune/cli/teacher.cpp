#include "fedtune/cli/teacher.h"

#include <algorithm>
#include <span>
#include <utility>

#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/hub/resolve.h"
#include "fedtune/text/tokenizer.h"
#include "fedtune/train/distill_loss.h"

namespace fedtune::cli {
namespace {

std::size_t longest(std::span<const data::Example> examples) {
  std::size_t tokens = 0;
  for (const data::Example& example : examples) tokens = std::max(tokens, example.ids.size());
  return tokens;
}

// The teacher reads the student's token ids: where it brings a tokenizer of its own, that must mean the same by them.
void require_same_tokens(const std::filesystem::path& teacher, const Federation& federation) {
  if (!text::Tokenizer::is_in(teacher)) return;
  const auto other = federation.tokenizer.first_other_token(text::Tokenizer::load(teacher));
  if (!other) return;
  throw usage_error(
      "--teacher-ckpt: the teacher is given the student's token ids, but its own tokenizer ({}) does not have the "
      "student's '{}' under the same id; give a teacher with the vocabulary of {}",
      teacher.string(), *other, federation.checkpoint_folder.string());
}

void require_readable(const models::ModelConfig& teacher, const Federation& federation) {
  if (teacher.vocab_size < federation.tokenizer.vocab_size()) {
    throw usage_error(
        "--teacher-ckpt: the teacher is given the student's token ids, up to {}, but has embeddings for {}; give a "
        "teacher with the student's vocabulary",
        federation.tokenizer.vocab_size() - 1, teacher.vocab_size);
  }
  const std::size_t tokens = std::max(longest(federation.data.train), longest(federation.data.validation));
  if (static_cast<std::size_t>(teacher.longest_sentence()) < tokens) {
    throw usage_error(
        "--teacher-ckpt: there are sentences of {} tokens, but the teacher has {} positions; give "
        "--max-length {}",
        tokens, teacher.longest_sentence(), teacher.longest_sentence());
  }
}

bool guarded(const Options& options) {
  return options.distill.teacher_guard == OnOff::on;
}

}  // namespace

Teacher load_teacher(const Options& options, Federation& federation, c10::Device device) {
  strategy::require_enough_public(federation.partition.public_share.size(), guarded(options));
  const std::filesystem::path folder =
      hub::resolve_checkpoint(options.models.teacher_ckpt, hub_options(options)).folder;
  models::LoadedModel loaded = models::load_checkpoint(folder, {.initialise_head = true,
                                                                .seed = options.training.seed,
                                                                .role = ModelRole::teacher,
                                                                .num_labels = federation.data.sentences.num_labels});
  train::matched_layers({.teacher = loaded.model.config, .student = federation.student->config()});
  require_readable(loaded.model.config, federation);
  require_same_tokens(folder, federation);
  if (loaded.head_initialised) {
    federation.notes.push_back(
        fmt::format("the teacher's checkpoint has no classification head: one for {} labels is drawn from seed {}",
                    loaded.model.config.num_labels, options.training.seed));
  }
  return {.model = models::to_device(loaded.model, device), .sha256 = loaded.sha256.get()};
}

strategy::Distiller make_distiller(const Options& options, const Federation& federation,
                                   std::function<void(double loss)> on_step) {
  if (!federation.teacher) throw failed("distilling: no teacher was loaded");
  return {federation.teacher->model,
          {.examples = federation.data.train, .rows = federation.partition.public_share},
          {.teacher_epochs = options.distill.teacher_pretrain_epochs,
           .kd_epochs = options.distill.kd_epochs,
           .lr = options.distill.distill_lr,
           .student_lr = options.distill.student_lr,
           .batch_size = options.training.batch_size,
           .loss = {.form = options.distill.kd_loss,
                    .terms = options.distill.kd_terms,
                    .temperature = options.distill.kd_temperature},
           .guard = guarded(options),
           .seed = options.training.seed,
           .workers = workers_of(options),
           .stop = [] { return interrupt_signal() != 0; },
           .on_step = std::move(on_step)}};
}

}  // namespace fedtune::cli
