#include <fmt/format.h>

#include "fedtune/base/clock.h"
#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/folder_lock.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/base/log.h"
#include "fedtune/cli/command.h"
#include "fedtune/cli/federation.h"
#include "fedtune/cli/option_values.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/cli/resume.h"
#include "fedtune/cli/shown_path.h"
#include "fedtune/cli/step_profile.h"
#include "fedtune/cli/teacher.h"
#include "fedtune/fed/round_store.h"
#include "fedtune/format/json_file.h"
#include "fedtune/format/safetensors.h"
#include "fedtune/models/checkpoint.h"
#include "fedtune/peft/adapter_config.h"
#include "fedtune/peft/adapter_folder.h"
#include "fedtune/strategy/fedkdlora.h"

namespace fedtune::cli {
namespace {

namespace fs = std::filesystem;

Options options_of_step(const CommandLine& line) {
  for (const std::string_view name : {"state", "round", "adapters", "output"}) {
    if (!line.given.contains(name)) throw usage_error("distill: --{} is missing", name);
  }
  const Options options = resolve_for_run(line.options);
  if (!distils(options)) {
    throw usage_error("distill: --scheme {} has no teacher; leave --scheme out", word(options.federation.scheme));
  }
  if (options.lora.train_head == peft::TrainHead::low_rank) {
    throw usage_error(
        "distill: an adapter folder holds a low-rank head merged, so it cannot be trained on; use "
        "--train-head full");
  }
  return options;
}

// The folder's tensors in the order in which they travel.
NamedTensors read_adapters(const Options& options, const Layout& layout) {
  const fs::path folder = options.distill_step.adapters;
  const fs::path config = folder / "adapter_config.json";
  const peft::LoraConfig found = peft::parse_adapter_config(load_json(config), config.string());
  if (found.r != options.lora.r || found.alpha != options.lora.alpha) {
    throw usage_error("{}: r {} and alpha {}, expected those of --lora-r {} and --lora-alpha {}", config.string(),
                      found.r, found.alpha, options.lora.r, options.lora.alpha);
  }
  const fs::path file =
      find_weights(folder, {.safetensors = "adapter_model.safetensors", .pickle = "adapter_model.bin"});
  const NamedTensors stored = load_safetensors(file).tensors;
  if (stored.tensors.size() != layout.size()) {
    throw input_error("{}: {} tensors, expected {}; were --target-modules and --train-head the same?", file.string(),
                      stored.tensors.size(), layout.size());
  }
  NamedTensors ordered{.tensors = {}, .owner = stored.owner};
  for (const TensorSpec& spec : layout) {
    const TensorView* const view = stored.find(spec.name);
    if (view == nullptr || view->dtype != spec.dtype || view->shape != spec.shape) {
      throw input_error("{}: {} {} {} is missing or has another shape or type", file.string(), spec.name,
                        dtype_name(spec.dtype), shape_text(spec.shape));
    }
    ordered.tensors.push_back(*view);
  }
  return ordered;
}

// A round that is done is not done again.
bool is_done(const fed::SavedRun& saved, const DistillStepOptions& step) {
  if (step.round < saved.round) {
    throw usage_error(
        "distill: --round {} is behind {}, which is after round {}; give the round that follows, or another --state",
        step.round, step.state, saved.round);
  }
  return step.round == saved.round;
}

class Step {
 public:
  Step(const Options& options, const Federation& federation)
      : options_(options),
        federation_(federation),
        store_(options.distill_step.state, configuration_hash(options)),
        strategy_(federation.student, {}, make_distiller(options, federation, {})) {}

  // The adapters after the step, which is saved.
  NamedTensors play() {
    const std::optional<fed::SavedRun> saved = store_.load();
    const int round = options_.distill_step.round;
    if (saved) {
      if (is_done(*saved, options_.distill_step)) return saved->global;
      strategy_.restore(saved->state);
    } else if (round > 1) {
      log_warning("{}: no teacher is kept there yet; the one of --teacher-ckpt begins in round {}",
                  options_.distill_step.state, round);
    }
    fed::RoundRecord record{.round = round};
    const Stopwatch watch;
    NamedTensors global = strategy_.refine(round, read_adapters(options_, federation_.student->layout()));
    record.seconds.distil = watch.seconds();
    store_.save({.global = global, .record = record, .state = strategy_.state()});
    return global;
  }

 private:
  const Options& options_;
  const Federation& federation_;
  fed::RoundStore store_;
  strategy::FedKdLora strategy_;
};

}  // namespace

void distill_command(const CommandLine& line) {
  install_interrupt_handlers();
  Options options = options_of_step(line);
  const std::unique_ptr<Federation> federation = load_federation(options);
  options.shares.partition = federation->partition.kind;
  create_folders(options.distill_step.state);
  const FolderLock lock(options.distill_step.state);

  start_step_profile(options);
  const NamedTensors global = Step(options, *federation).play();
  const models::SequenceClassifier model =
      models::to_device(federation->student->for_scoring(global), c10::Device(c10::kCPU));
  peft::save_adapter(options.run.output, model, lora_config(options), shown_base(options.models.client_ckpt));
  print_step_profile(options);
  if (options.run.quiet) return;
  fmt::print("round {}: distilled on {} sentences; {}\n", options.distill_step.round,
             federation->partition.public_share.size(), options.run.output);
}

}  // namespace fedtune::cli
