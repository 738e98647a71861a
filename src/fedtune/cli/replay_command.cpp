#include <algorithm>
#include <array>
#include <cstdio>

#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/cli/command.h"
#include "fedtune/cli/controls.h"
#include "fedtune/cli/federation.h"
#include "fedtune/cli/make_strategy.h"
#include "fedtune/cli/option_table.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/cli/resume.h"
#include "fedtune/cli/run_folder.h"
#include "fedtune/cli/step_profile.h"
#include "fedtune/fed/replay.h"
#include "fedtune/format/json_file.h"
#include "fedtune/format/tensor_hash.h"
#include "fedtune/worker/client_worker.h"

namespace fedtune::cli {
namespace {

namespace fs = std::filesystem;

// Where things lie may have changed since the run; that they are the same is what the hashes show.
constexpr std::array<std::string_view, 3> places{"client-ckpt", "teacher-ckpt", "data-path"};

Options options_of(const CommandLine& line, const RunFolder& folder) {
  Options options;
  set_options(read_config(folder.config()), options);
  for (const OptionSpec& spec : option_table()) {
    if (!line.given.contains(spec.name)) continue;
    if (spec.on_resume == OnResume::may_differ || std::ranges::count(places, spec.name) > 0) {
      copy_option(spec, line.options, options);
    } else if (spec.get(line.options) != spec.get(options)) {
      throw usage_error("--{} {}: the run has {}, and a replay takes the run's own options; leave it out", spec.name,
                        value_text(spec.get(line.options)), value_text(spec.get(options)));
    }
  }
  return resolve_for_run(options);
}

[[noreturn]] void differs(const RunFolder& folder, const std::string& what) {
  throw failed("{} does not replay: {}", folder.path().string(), what);
}

// What the folder keeps besides its log.
void check_checkpoints(const RunFolder& folder, const std::string& configuration, const fed::ReplayOutcome& replayed) {
  const auto rounds = static_cast<int>(replayed.history.size());
  for (const fed::SavedRun& saved : fed::RoundStore(folder.checkpoint(), configuration).load_all()) {
    if (saved.round >= rounds || static_cast<int>(saved.history.size()) != saved.round + 1) {
      differs(folder, fmt::format("there is a checkpoint of round {} with {} records, the log has the rounds 0 to {}",
                                  saved.round, saved.history.size(), rounds - 1));
    }
    for (int round = 0; round <= saved.round; ++round) {
      const auto index = static_cast<std::size_t>(round);
      if (const auto text = fed::difference_between(saved.history[index], replayed.history[index])) {
        differs(folder, *text);
      }
    }
    const std::string& expected = replayed.history[static_cast<std::size_t>(saved.round)].global_sha256;
    if (const std::string found = final_sha256(saved.global); found != expected) {
      differs(folder, fmt::format("round {}: the global tensors have the SHA-256 {}, those of the checkpoint {}",
                                  saved.round, expected, found));
    }
  }
}

void check_results(const RunFolder& folder, const Options& options, const fed::ReplayOutcome& replayed) {
  if (!fs::exists(folder.results())) return;
  const int rounds = static_cast<int>(replayed.history.size()) - 1;
  if (rounds != options.federation.num_rounds) {
    differs(folder,
            fmt::format("it is finished after {} rounds, the log has {}", options.federation.num_rounds, rounds));
  }
  const std::string context = folder.results().string();
  const auto ours = required<nlohmann::json>(load_json(folder.results()), "fedtune", context);
  const auto then = required<std::string>(ours, "final_sha256", context);
  if (const std::string now = final_sha256(replayed.global); now != then) {
    differs(folder, fmt::format("final_sha256 is {}, results.json says {}", now, then));
  }
}

}  // namespace

void replay_command(const CommandLine& line) {
  install_interrupt_handlers();
  if (line.positionals.empty()) throw usage_error("replay: which RUN? the folder of a run, or its name under --output");
  const RunFolder folder = RunFolder::open(line.options.run.output, line.positionals.front());
  const Options options = options_of(line, folder);
  const std::vector<fed::LoggedRound> log = fed::read_round_log(read_file(folder.events()), folder.events().string());
  if (log.empty())
    throw input_error("{}: no round of it is complete; there is nothing to replay", folder.path().string());

  const std::unique_ptr<Federation> federation = load_federation(options);
  const auto strategy = make_strategy(options, *federation, {});
  worker::ClientWorker worker(federation->student, shares_of(*federation), client_options(options));
  start_step_profile(options);
  const fed::ReplayOutcome outcome =
      fed::replay({.clients = options.federation.num_clients,
                   .fraction_fit = options.federation.fraction_fit,
                   .seed = options.training.seed},
                  {.strategy = *strategy, .task = worker, .workers = workers_of(options)}, log,
                  [&](const fed::RoundRecord& record) {
                    if (options.run.quiet) return;
                    fmt::print("round {}/{}  {} of {} clients  {}\n", record.round, log.size() - 1,
                               record.accepted.size(), record.cohort.size(), record.global_sha256);
                    std::fflush(stdout);
                  });
  print_step_profile(options);
  if (outcome.difference) differs(folder, *outcome.difference);
  check_checkpoints(folder, configuration_hash(options), outcome);
  check_results(folder, options, outcome);
  if (!options.run.quiet) {
    fmt::print("{}: {} rounds recomputed, every hash is the run's\n", folder.path().string(), log.size() - 1);
  }
}

}  // namespace fedtune::cli
