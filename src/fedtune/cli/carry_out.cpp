#include "fedtune/cli/carry_out.h"

#include <cstdio>
#include <limits>

#include <fmt/format.h>

#include "fedtune/base/clock.h"
#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/base/log.h"
#include "fedtune/base/profile.h"
#include "fedtune/cli/controls.h"
#include "fedtune/cli/federation.h"
#include "fedtune/cli/make_strategy.h"
#include "fedtune/cli/option_values.h"
#include "fedtune/cli/report_files.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/cli/resume.h"
#include "fedtune/cli/run_folder.h"
#include "fedtune/cli/run_results.h"
#include "fedtune/cli/run_watch.h"
#include "fedtune/cli/shown_path.h"
#include "fedtune/fed/engine.h"
#include "fedtune/models/checkpoint.h"
#include "fedtune/peft/adapter_folder.h"
#include "fedtune/report/profile_text.h"
#include "fedtune/report/tensorboard.h"

namespace fedtune::cli {
namespace {

namespace fs = std::filesystem;

report::ProgressMode progress_mode(const Options& options) {
  return report::progress_mode_from(options.run.quiet ? "none" : word(options.run.progress));
}

// A run from its first round, or from a saved one, to its results.
class Run {
 public:
  struct Parts {
    const Federation& federation;
    const RunFolder& folder;
    const Party& party;
  };
  Run(const Options& options, const Parts& parts)
      : options_(options),
        federation_(parts.federation),
        folder_(parts.folder),
        party_(parts.party),
        store_(folder_.checkpoint(), configuration_hash(options)),
        progress_(progress_mode(options)) {
    if (progress_mode(options) != report::ProgressMode::none) {
      set_log_writer([this](std::string_view text) { progress_.print_line(text); });
    }
  }
  ~Run() { set_log_writer({}); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  void play(const Stopwatch& since_start) {
    if (options_.run.profile) start_profile();
    const std::optional<fed::SavedRun> saved = store_.load();
    report::cut_back_events(folder_.events(), saved ? saved->events_bytes : 0);
    report::EventLog events(folder_.events());
    report::TensorBoard board(folder_.tensorboard(), read_file(folder_.events()));
    events.on_written([&board](const nlohmann::ordered_json& event) { board.add(event); });
    write_opening(events, saved);
    tell(saved);
    try {
      finish(play_rounds(saved, events), events, since_start, seconds_of(saved));
    } catch (const Interrupted&) {
      events.write("interrupted");
      progress_.finish();
      std::fputs(fmt::format("fedtune: interrupted; go on with: fedtune {} --resume {}\n", party_.command,
                             folder_.path().string())
                     .c_str(),
                 stderr);
      throw;
    }
  }

 private:
  void write_opening(report::EventLog& events, const std::optional<fed::SavedRun>& saved) const {
    nlohmann::ordered_json fields = {{"scheme", word(options_.federation.scheme)},
                                     {"clients", options_.federation.num_clients},
                                     {"rounds", options_.federation.num_rounds},
                                     {"from_round", saved ? saved->round : 0}};
    if (!saved) fields.update(report::opening_json(opening_of(options_, federation_)));
    events.write(saved ? "resumed" : "run", fields);
  }

  void tell(const std::optional<fed::SavedRun>& saved) {
    for (const std::string& note : federation_.notes) progress_.print_line(fmt::format("note: {}", note));
    if (saved) progress_.print_line(fmt::format("going on after round {}", saved->round));
  }

  fed::RunOutcome play_rounds(const std::optional<fed::SavedRun>& saved, report::EventLog& events) {
    RunWatch watch(options_, {federation_, events, progress_});
    const auto strategy = make_strategy(options_, federation_, [&watch](double loss) { watch.on_distil_step(loss); });
    const std::unique_ptr<fed::Transport> transport =
        party_.make_transport({options_, federation_, folder_, strategy->layout(), watch, progress_});
    fed::Engine engine(
        {.rounds = options_.federation.num_rounds,
         .clients = options_.federation.num_clients,
         .fraction_fit = options_.federation.fraction_fit,
         .fewest = std::max(1, options_.network.min_clients),
         .seed = options_.training.seed,
         .max_client_weight = options_.federation.max_client_weight.value_or(std::numeric_limits<double>::infinity())},
        {.strategy = *strategy, .transport = *transport, .store = &store_, .spill = {.folder = folder_.path()}},
        watch.observer(*strategy));
    return engine.run(saved);
  }

  // Wall clock that a saved run had spent in its rounds.
  static double seconds_of(const std::optional<fed::SavedRun>& saved) {
    double seconds = 0.0;
    if (!saved) return seconds;
    for (const fed::RoundRecord& record : saved->history) {
      const fed::PhaseSeconds& phase = record.seconds;
      seconds += phase.train + phase.aggregate + phase.distil + phase.evaluate + phase.wait;
    }
    return seconds;
  }

  fs::path save_trained(const NamedTensors& global) {
    const models::SequenceClassifier model =
        models::to_device(federation_.student->for_scoring(global), c10::Device(c10::kCPU));
    if (options_.federation.scheme != Scheme::fedavg) {
      peft::save_adapter(folder_.adapter(), model, lora_config(options_), shown_base(options_.models.client_ckpt));
      return folder_.adapter();
    }
    models::save_checkpoint(folder_.model(), model);
    federation_.tokenizer.save(folder_.model());
    return folder_.model();
  }

  void finish(const fed::RunOutcome& outcome, report::EventLog& events, const Stopwatch& since_start, double earlier) {
    const std::vector<StepProfile> rounds = profile();  // before the controls take steps of their own
    std::vector<report::Control> controls;
    if (options_.run.compare_central) controls = run_controls(options_, federation_, progress_);
    const fs::path trained = save_trained(outcome.global);
    const double elapsed = earlier + since_start.seconds();
    const report::RunResults results = results_of({options_, federation_, outcome, std::move(controls), elapsed});
    events.write("finished", {{"final_sha256", results.final_sha256}});
    write_report(results, folder_);
    report::write_results(results, folder_.path());
    progress_.finish();
    if (options_.run.quiet) return;
    fmt::print("{}", report::profile_text(rounds));
    fmt::print("{}", summary_text(results, {.last_cohort = outcome.history.back().cohort.size(),
                                            .trained = trained,
                                            .results = folder_.results()}));
  }

  const Options& options_;
  const Federation& federation_;
  const RunFolder& folder_;
  const Party& party_;
  fed::RoundStore store_;
  report::Progress progress_;
};

void start(const CommandLine& line, const Party& party, const Stopwatch& since_start) {
  Options options = resolve_for_run(line.options);
  RunFolder::NewRun run{.root = options.run.output, .name = options.run.name, .config = {}};
  const bool is_named = !run.name.empty();
  if (is_named) {
    RunFolder::require_free(run.root, run.name);
  } else {
    run.name = file_time(std::chrono::system_clock::now());
  }
  const std::unique_ptr<Federation> federation = load_federation(options);
  options.shares.partition = federation->partition.kind;
  throw_if_interrupted();

  run.config = config_text(options);
  const RunFolder folder = is_named ? RunFolder::create(run) : RunFolder::create_beside(run);
  Run(options, {*federation, folder, party}).play(since_start);
}

void resume(const CommandLine& line, const Party& party, const Stopwatch& since_start) {
  const RunFolder folder = RunFolder::open(line.options.run.output, line.options.run.resume);
  const Options options = resumed_options(line, folder);
  if (fs::exists(folder.results())) {
    if (!options.run.quiet) fmt::print("{} is finished; nothing is changed\n", folder.path().string());
    return;
  }
  for (const fs::path& place : {folder.path(), folder.adapter(), folder.model()}) remove_temporary_files(place);
  const std::unique_ptr<Federation> federation = load_federation(options);
  throw_if_interrupted();
  Run(options, {*federation, folder, party}).play(since_start);
}

}  // namespace

void carry_out(const CommandLine& line, const Party& party) {
  const Stopwatch since_start;
  install_interrupt_handlers();
  line.options.run.resume.empty() ? start(line, party, since_start) : resume(line, party, since_start);
}

}  // namespace fedtune::cli
