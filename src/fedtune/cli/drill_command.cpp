#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "fedtune/base/clock.h"
#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/cli/command.h"
#include "fedtune/cli/drill/director.h"
#include "fedtune/cli/option_table.h"
#include "fedtune/cli/run_folder.h"
#include "fedtune/cli/sweep/child.h"

namespace fedtune::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 8> own{"faults",   "name",  "output", "address",
                                              "progress", "quiet", "config", "wait"};
constexpr std::array<std::string_view, 4> of_clients{"client-ckpt", "data-path", "device", "threads"};

// The options that were given, as arguments again.
template <typename Wanted>
std::vector<std::string> given_options(const CommandLine& line, Wanted wanted) {
  std::vector<std::string> arguments;
  for (const OptionSpec& spec : option_table()) {
    if (!line.given.contains(spec.name) || !wanted(spec.name)) continue;
    const nlohmann::json value = spec.get(line.options);
    if (value.is_boolean() && !value.get<bool>()) continue;
    arguments.push_back(fmt::format("--{}", spec.name));
    if (!value.is_boolean()) arguments.push_back(value_text(value));
  }
  return arguments;
}

std::string shortened(const std::string& text) {
  constexpr std::size_t most = 200;
  return text.size() <= most ? text : fmt::format("{}...", std::string_view(text).substr(0, most - 3));
}

void print_table(const DrillOutcome& outcome) {
  fmt::print("\n{:>5}  {:>5}  {:>8}  {:>8}  {}\n", "round", "asked", "accepted", "left out", "faults");
  for (const DrilledRound& round : outcome.rounds) {
    fmt::print("{:5}  {:5}  {:8}  {:8}  {}\n", round.round, round.asked, round.accepted, round.left_out.size(),
               fmt::join(round.faults, "; "));
  }
  for (const DrilledRound& round : outcome.rounds) {
    for (const std::string& reason : round.left_out) fmt::print("round {}: {}\n", round.round, shortened(reason));
  }
  fmt::print("the server ended with {} after {} restarts; {} clients were started again\n", outcome.server_exit,
             outcome.server_restarts, outcome.client_restarts);
}

// What was expected and did not come; empty where all did.
std::vector<std::string> disappointments(const DrillSetup& setup, const DrillOutcome& outcome) {
  std::vector<std::string> found;
  const FaultFile& script = setup.script;
  if (outcome.timed_out) found.push_back(fmt::format("it has not ended within {} s", setup.give_up));
  if (outcome.server_exit != script.exit_code) {
    found.push_back(fmt::format("the server ended with {}, expected {}", outcome.server_exit, script.exit_code));
  }
  for (const DrilledRound& round : outcome.rounds) {
    if (round.accepted >= static_cast<std::size_t>(script.min_accepted)) continue;
    found.push_back(
        fmt::format("round {} accepted {}, expected {} or more", round.round, round.accepted, script.min_accepted));
  }
  if (script.replays && found.empty()) {
    const std::vector<std::string> replay{"replay", setup.run.string(), "--quiet"};
    if (const ChildEnd end = run_child(replay); !end.succeeded()) found.push_back(end.reason());
  }
  return found;
}

}  // namespace

void drill_command(const CommandLine& line) {
  install_interrupt_handlers();
  if (line.options.drill.faults.empty())
    throw usage_error("drill: which faults? give --faults FILE (docs/reliability.md)");
  const RunOptions& run = line.options.run;
  const std::string began = "drill-" + file_time(std::chrono::system_clock::now());
  const std::string name = run.name.empty() ? RunFolder::free_name(run.output, began) : run.name;
  RunFolder::require_free(run.output, name);
  const fs::path folder = fs::absolute(run.output) / name;
  const auto is_among = [](const auto& names, std::string_view option) {
    return std::ranges::count(names, option) > 0;
  };
  DrillSetup setup{.script = read_fault_file(line.options.drill.faults),
                   .clients = line.options.federation.num_clients,
                   .server = given_options(line, [&](std::string_view o) { return !is_among(own, o); }),
                   .client = given_options(line, [&](std::string_view o) { return is_among(of_clients, o); }),
                   .run = folder,
                   .logs = folder.string() + ".drill"};
  if (line.given.contains("wait")) setup.give_up = line.options.network.wait;
  setup.server.insert(setup.server.end(), {"--output", folder.parent_path().string(), "--name", name});

  const DrillOutcome outcome = play_drill(setup);
  if (!run.quiet) print_table(outcome);
  if (const std::vector<std::string> found = disappointments(setup, outcome); !found.empty()) {
    throw failed("the drill did not end as expected: {}; what each party printed is in {}", fmt::join(found, "; "),
                 setup.logs.string());
  }
  if (!run.quiet) fmt::print("the drill ended as expected\n");
}

}  // namespace fedtune::cli
