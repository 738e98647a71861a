#include <fmt/format.h>

#include "fedtune/base/clock.h"
#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/cli/command.h"
#include "fedtune/cli/device.h"
#include "fedtune/cli/option_values.h"
#include "fedtune/cli/plan.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/cli/teacher.h"
#include "fedtune/hub/resolve.h"
#include "fedtune/report/progress_text.h"
#include "fedtune/report/units.h"

namespace fedtune::cli {
namespace {

using nlohmann::ordered_json;
using report::bytes_text;

// A plan needs no teacher to be of use.
void load_teacher_if_at_hand(const Options& options, Federation& federation) {
  if (!distils(options)) return;
  try {
    federation.teacher = load_teacher(options, federation, prepare_to_compute(options));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input && error.kind() != ErrorKind::network) throw;
    federation.notes.push_back(
        fmt::format("the teacher is not at hand, so its time and memory are left out ({})", error.what()));
  }
}

std::int64_t payload_with_low_rank_head(Options options) {
  options.lora.train_head = peft::TrainHead::low_rank;
  models::LoadedModel loaded =
      models::load_checkpoint(hub::resolve_checkpoint(options.models.client_ckpt).folder, {.initialise_head = true});
  const train::StudentTemplate student(
      loaded.model, {.trained = train::Trained::adapters, .lora = lora_config(options), .seed = options.training.seed});
  return planned_traffic(options, student.layout()).payload;
}

void add_head_note(const Options& options, const PlannedTraffic& traffic, std::vector<std::string>& notes) {
  if (traffic.head * 2 <= traffic.payload || options.lora.train_head != peft::TrainHead::full) return;
  const std::int64_t low = payload_with_low_rank_head(options);
  const std::string found =
      fmt::format("the head is {:.0f} % of what travels",
                  100.0 * static_cast<double>(traffic.head) / static_cast<double>(traffic.payload));
  if (low >= traffic.payload) {
    notes.push_back(fmt::format("{}; it is one small layer, so --train-head low-rank would not help", found));
    return;
  }
  notes.push_back(fmt::format("{}; --train-head low-rank would send {} instead of {}, {:.0f} % less", found,
                              bytes_text(static_cast<double>(low)), bytes_text(static_cast<double>(traffic.payload)),
                              100.0 * (1.0 - static_cast<double>(low) / static_cast<double>(traffic.payload))));
}

struct Plan {
  PlannedTraffic traffic;
  Measured measured;
  double loading = 0.0;  // seconds
  std::vector<std::string> notes;
};

std::int64_t total_bytes(const PlannedTraffic& traffic) {
  std::int64_t sum = 0;
  for (const report::RoundBytes& round : traffic.rounds) sum += round.up + round.down;
  return sum;
}

ordered_json to_json(const Options& options, const Plan& plan) {
  ordered_json rounds = ordered_json::array();
  for (const report::RoundBytes& round : plan.traffic.rounds) {
    rounds.push_back({{"round", round.round}, {"up", round.up}, {"down", round.down}});
  }
  const PlannedTime& time = plan.measured.time;
  return {{"scheme", word(options.federation.scheme)},
          {"tensors", plan.traffic.tensors},
          {"numbers", plan.traffic.numbers},
          {"payload_bytes", plan.traffic.payload},
          {"head_bytes", plan.traffic.head},
          {"bytes", rounds},
          {"total_bytes", total_bytes(plan.traffic)},
          {"memory_bytes", plan.measured.memory},
          {"seconds",
           {{"loading", plan.loading},
            {"train", time.train},
            {"aggregate", time.aggregate},
            {"distil", time.distil},
            {"evaluate", time.evaluate},
            {"total", plan.loading + time.rounds()}}},
          {"notes", plan.notes}};
}

std::string to_text(const Options& options, const Federation& federation, const Plan& plan) {
  constexpr std::string_view row = "  {:<18}{}\n";
  const auto bytes = [](std::int64_t count) { return bytes_text(static_cast<double>(count)); };
  const PlannedTime& time = plan.measured.time;
  const double rounds = options.federation.num_rounds;
  std::string text =
      fmt::format("{}: {} clients, {} rounds, {} sentences to train on\n\n", word(options.federation.scheme),
                  options.federation.num_clients, options.federation.num_rounds, federation.data.train.size());
  text += fmt::format(row, "travels",
                      fmt::format("{} tensors, {} numbers: {} per client, round and direction", plan.traffic.tensors,
                                  plan.traffic.numbers, bytes(plan.traffic.payload)));
  text += fmt::format(row, "bytes of a round",
                      fmt::format("{} up and {} down, all clients", bytes(plan.traffic.rounds.front().up),
                                  bytes(plan.traffic.rounds.front().down)));
  text += fmt::format(row, "bytes in all", bytes(total_bytes(plan.traffic)));
  text += fmt::format(row, "memory", fmt::format("about {}", bytes(plan.measured.memory)));
  text += fmt::format(row, "time",
                      fmt::format("about {}, of which {} to load", report::duration_text(plan.loading + time.rounds()),
                                  report::seconds_text(plan.loading)));
  text +=
      fmt::format(row, "time of a round",
                  fmt::format("about {}: training {}, distilling {}, evaluating {}, averaging {}",
                              report::seconds_text(time.rounds() / rounds), report::seconds_text(time.train / rounds),
                              report::seconds_text(time.distil / rounds), report::seconds_text(time.evaluate / rounds),
                              report::seconds_text(time.aggregate / rounds)));
  text +=
      "\nBytes are exact while all clients answer. Memory and time are from a few steps on this\n"
      "machine as busy as it is now.\n";
  return text;
}

}  // namespace

void plan_command(const CommandLine& line) {
  install_interrupt_handlers();
  const Options options = resolve_for_run(line.options);
  const Stopwatch watch;
  const std::unique_ptr<Federation> federation = load_federation(options, Role::client);
  load_teacher_if_at_hand(options, *federation);
  Plan plan;
  plan.traffic = planned_traffic(options, federation->student->layout());
  plan.loading = watch.seconds();
  throw_if_interrupted();
  plan.measured = measure(options, *federation);
  plan.notes = federation->notes;
  add_head_note(options, plan.traffic, plan.notes);
  if (options.run.compare_central) plan.notes.emplace_back("the controls of --compare-central are not counted");

  if (options.score.json) {
    fmt::print("{}\n", to_json(options, plan).dump(2));
    return;
  }
  for (const std::string& note : plan.notes) fmt::print("note: {}\n", note);
  fmt::print("{}", to_text(options, *federation, plan));
}

}  // namespace fedtune::cli
