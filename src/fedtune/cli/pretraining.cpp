#include "fedtune/cli/pretraining.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <numeric>
#include <optional>

#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/base/sha256.h"
#include "fedtune/cli/command_line.h"
#include "fedtune/cli/device.h"
#include "fedtune/cli/federation.h"
#include "fedtune/cli/option_table.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/data/examples.h"
#include "fedtune/data/split.h"
#include "fedtune/fed/round_store.h"
#include "fedtune/hub/resolve.h"
#include "fedtune/io/parameters.h"
#include "fedtune/train/phase.h"

namespace fedtune::cli {
namespace {

constexpr std::array<std::string_view, 12> deciding_options{
    "teacher-ckpt", "data-path",  "data-name", "max-train-sentences",
    "tune-slice",   "max-length", "client-lr", "teacher-data-pct",
    "batch-size",   "seed",       "threads",   "teacher-pretrain-epochs"};

// A part of a folder's name.
std::string without_slashes(std::string text) {
  std::ranges::replace(text, '/', '-');
  return text;
}

std::string checkpoint_name(const std::string& checkpoint) {
  if (!hub::is_path(checkpoint)) return without_slashes(checkpoint);
  const std::filesystem::path path = std::filesystem::path(checkpoint).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

}  // namespace

Options resolve_for_pretraining(Options options) {
  options.models.client_ckpt = options.models.teacher_ckpt;  // the one model that is trained and scored
  if (options.training.dtype != DataType::fp32) {
    throw usage_error("--dtype bf16: pretrain trains every weight, and bf16 is for frozen ones; use fp32");
  }
  options = resolve_for_scoring(std::move(options));
  options.models.teacher_ckpt = options.models.client_ckpt;
  options.shares.teacher_data_pct = public_percent(options);
  if (options.shares.teacher_data_pct == 0) {
    throw usage_error("--teacher-data-pct 0{}: no public sentence to train the teacher on; give 1 to 99",
                      options.federation.num_clients > 99 ? " (100/(clients + 1))" : "");
  }
  if (options.distill.teacher_pretrain_epochs == 0) {
    throw usage_error("--teacher-pretrain-epochs 0: nothing to do; give 1 or more");
  }
  return options;
}

Pretraining load_pretraining(const Options& options) {
  const c10::Device device = prepare_to_compute(options);
  const std::filesystem::path folder =
      hub::resolve_checkpoint(options.models.teacher_ckpt, hub_options(options)).folder;
  const text::Tokenizer tokenizer = text::Tokenizer::load(folder);
  data::Dataset dataset = data::load_dataset(dataset_options(options));
  const models::LoadedModel loaded = models::load_checkpoint(folder, {.initialise_head = true,
                                                                      .seed = options.training.seed,
                                                                      .role = ModelRole::teacher,
                                                                      .num_labels = dataset.num_labels});
  require_fitting(tokenizer, loaded.model.config, folder);

  const std::int64_t rows =
      data::percent_to_row(public_percent(options), static_cast<std::int64_t>(dataset.train.size()));
  if (rows == 0) {
    throw input_error("{}: {} per cent of {} sentences is none to train the teacher on; raise --teacher-data-pct",
                      dataset.files.train.string(), public_percent(options), dataset.train.size());
  }
  const data::TokenizeOptions tokenize{.max_length = sentence_limit(options, tokenizer, loaded.model.config),
                                       .workers = workers_of(options)};
  dataset.train.resize(static_cast<std::size_t>(rows));
  Pretraining pretraining{.teacher = models::trainable_copy(models::to_device(loaded.model, device)),
                          .tokenizer = tokenizer,
                          .public_share = data::tokenize(dataset.train, tokenizer, tokenize),
                          .validation = data::tokenize(dataset.validation, tokenizer, tokenize),
                          .checkpoint_sha256 = loaded.sha256.get()};
  if (loaded.head_initialised) {
    pretraining.notes.push_back(
        fmt::format("the checkpoint has no classification head: one for {} labels is drawn from seed {}",
                    dataset.num_labels, options.training.seed));
  }
  return pretraining;
}

std::string pretraining_name(const Options& options) {
  return fmt::format("{}_{}_{}pct_{}epochs", checkpoint_name(options.models.teacher_ckpt),
                     without_slashes(options.data.data_name), public_percent(options),
                     options.distill.teacher_pretrain_epochs);
}

std::string pretraining_text(const Options& options) {
  return config_text(options, deciding_options);
}

std::string pretraining_differences(const Options& asked, const Options& there) {
  std::string text;
  for (const std::string_view name : deciding_options) {
    const OptionSpec& spec = *find_option(name);
    if (spec.get(asked) == spec.get(there)) continue;
    text += fmt::format("{}--{} {} (there {})", text.empty() ? "" : ", ", name, value_text(spec.get(asked)),
                        value_text(spec.get(there)));
  }
  return text;
}

namespace {

// The state of a training that is cut, kept as a federation's rounds are: two of them, each whole or not there.
class TrainingStore {
 public:
  TrainingStore(Pretraining& pretraining, const Options& options, const std::filesystem::path& folder)
      : pretraining_(pretraining), store_(folder, configuration_of(pretraining, options)) {}

  void save(const train::Phase& phase) {
    io::Parameters parameters = pretraining_.teacher.parameters();
    for (io::Parameter& parameter : parameters) parameter.tensor = parameter.tensor.detach().to(at::kCPU);
    const auto steps = static_cast<int>(phase.report().steps);
    if (steps == saved_) return;
    const fed::RoundRecord record{.round = steps};
    store_.save({.global = io::named_tensors_from(parameters),
                 .record = record,
                 .state = {.since = steps, .tensors = phase.moments()}});
    saved_ = steps;
  }
  // The steps that are done.
  std::int64_t load(train::Phase& phase) {
    const std::optional<fed::SavedRun> saved = store_.load();
    if (!saved) return 0;
    io::assign(pretraining_.teacher.parameters(), saved->global);
    phase.resume(saved->round, saved->state.tensors);
    return saved_ = saved->round;
  }

 private:
  static std::string configuration_of(const Pretraining& pretraining, const Options& options) {
    return sha256_hex(pretraining_text(options) + pretraining.checkpoint_sha256);
  }

  Pretraining& pretraining_;
  fed::RoundStore store_;
  int saved_ = 0;
};

}  // namespace

void pretrain(Pretraining& pretraining, const Options& options, const std::filesystem::path& checkpoint,
              const PretrainingWatch& watch) {
  std::vector<std::uint32_t> rows(pretraining.public_share.size());
  std::iota(rows.begin(), rows.end(), 0u);
  train::TrainOptions training{.epochs = options.distill.teacher_pretrain_epochs,
                               .batch_size = options.training.batch_size,
                               .threads = workers_of(options)};
  training.phase.optimizer.lr = options.training.client_lr;
  training.phase.schedule = train::Schedule::linear_decay;
  training.phase.place = {.seed = options.training.seed, .role = ModelRole::teacher};
  training.phase.stop = [] { return interrupt_signal() != 0; };
  training.phase.on_step = watch.on_step;

  train::Phase phase(pretraining.teacher, training.phase, train::steps_of(rows, training));
  TrainingStore store(pretraining, options, checkpoint);
  const std::int64_t done = store.load(phase);
  if (done > 0 && watch.on_resume) watch.on_resume(done);
  std::int64_t seen = 0;
  training.on_epoch = [&](int epoch) {
    if (watch.on_epoch && (seen > done || epoch + 1 == training.epochs)) watch.on_epoch(epoch);
    return true;
  };
  try {
    train::for_each_batch(pretraining.public_share, rows, training, [&](const data::PackedBatch& packed) {
      if (++seen <= done) return;  // the batches of the steps that are done
      phase.step(packed);
      const std::int64_t every = options.distill.save_steps;
      if (every > 0 && phase.report().steps % every == 0) store.save(phase);
    });
  } catch (const Interrupted&) {
    if (phase.report().steps > 0) store.save(phase);
    throw;
  }
}

}  // namespace fedtune::cli
