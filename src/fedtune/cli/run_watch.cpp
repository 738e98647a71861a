#include "fedtune/cli/run_watch.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "fedtune/strategy/fedlora.h"

namespace fedtune::cli {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Json scores_json(const fed::Evaluation& scores) {
  return {{"loss", scores.loss}, {"accuracy", scores.accuracy}, {"mcc", scores.mcc}, {"f1", scores.f1}};
}

Json seconds_json(const fed::PhaseSeconds& seconds) {
  return {{"train", seconds.train},
          {"aggregate", seconds.aggregate},
          {"distil", seconds.distil},
          {"evaluate", seconds.evaluate},
          {"wait", seconds.wait}};
}

// Relative error of averaging A and B apart, by layer; null for a scheme without one.
Json averaging_error_json(const fed::Strategy& strategy) {
  const auto* lora = dynamic_cast<const strategy::FedLora*>(&strategy);
  if (lora == nullptr) return nullptr;
  Json errors = Json::object();
  for (const aggregate::LoraError& error : lora->averaging_errors()) errors[error.layer] = error.relative;
  return errors;
}

}  // namespace

RunWatch::RunWatch(const Options& options, const Parts& parts)
    : options_(options), parts_(parts), process_start_(Clock::now()), round_start_(process_start_) {
  state_.rounds = options.federation.num_rounds;
  state_.metric_name = "MCC";
}

fed::Observer RunWatch::observer() {
  return {.on_start = [this](const auto& record) { on_start(record); },
          .on_round_start = [this](int round, std::span<const int> cohort) { on_round_start(round, cohort); },
          .on_client = [this](int round, const auto& client) { on_client(round, client); },
          .on_refused = [this](int round, const auto& refusal) { on_refused(round, refusal); },
          .on_round = [this](const auto& record) { on_round(record); },
          .events_bytes = [this] { return parts_.events.bytes(); }};
}

std::int64_t RunWatch::steps_of(int rank) const {
  const auto rows =
      static_cast<std::int64_t>(parts_.federation.partition.clients[static_cast<std::size_t>(rank - 1)].size());
  const std::int64_t batch = options_.training.batch_size;
  return (rows + batch - 1) / batch * options_.training.client_epochs;
}

void RunWatch::on_step(double loss) {
  const std::scoped_lock lock(mutex_);
  ++process_steps_;
  ++round_steps_;
  round_loss_ += (loss - round_loss_) / static_cast<double>(round_steps_);
  state_.loss = round_loss_;
  state_.sentences_per_second =
      static_cast<double>(round_steps_ * options_.training.batch_size) / seconds_since(round_start_);
  state_.seconds_left = seconds_left();
  parts_.progress.update(state_);
}

double RunWatch::seconds_left() const {
  const std::int64_t rounds = state_.rounds - state_.round;
  const std::int64_t steps = std::max<std::int64_t>(cohort_steps_ - round_steps_, 0) + rounds * cohort_steps_;
  return seconds_since(process_start_) / static_cast<double>(std::max<std::int64_t>(process_steps_, 1)) *
         static_cast<double>(steps);
}

void RunWatch::on_start(const fed::RoundRecord& record) {
  Json fields{{"round", 0}};
  fields.update(scores_json(record.evaluation));
  parts_.events.write("start", fields);
  const std::scoped_lock lock(mutex_);
  process_start_ = Clock::now();
}

void RunWatch::on_round_start(int round, std::span<const int> cohort) {
  parts_.events.write("round_start", {{"round", round}, {"cohort", std::vector<int>(cohort.begin(), cohort.end())}});
  const std::scoped_lock lock(mutex_);
  state_.phase = "training";
  state_.round = round;
  state_.clients = static_cast<int>(cohort.size());
  state_.clients_done = 0;
  round_start_ = Clock::now();
  round_steps_ = 0;
  round_loss_ = 0.0;
  cohort_steps_ = 0;
  for (const int rank : cohort) cohort_steps_ += steps_of(rank);
  parts_.progress.update(state_);
}

void RunWatch::on_client(int round, const fed::ClientRecord& client) {
  parts_.events.write("client", {{"round", round},
                                 {"rank", client.rank},
                                 {"weight", client.weight},
                                 {"sentences", client.report.sentences},
                                 {"batches", client.report.batches},
                                 {"tokens", client.report.tokens},
                                 {"loss", client.report.loss},
                                 {"seconds", client.report.seconds}});
  const std::scoped_lock lock(mutex_);
  ++state_.clients_done;
  if (state_.clients_done == state_.clients) state_.phase = "evaluating";
  parts_.progress.update(state_);
}

void RunWatch::on_refused(int round, const fed::Refusal& refusal) {
  parts_.events.write("refused", {{"round", round}, {"rank", refusal.rank}, {"reason", refusal.reason}});
  parts_.progress.print_line(fmt::format("round {}: client {} is left out: {}", round, refusal.rank, refusal.reason));
}

report::ProgressState RunWatch::round_done_state(const fed::RoundRecord& record) const {
  report::ProgressState done = state_;
  done.phase.clear();
  done.round = record.round;
  done.clients_done = static_cast<int>(record.accepted.size());
  done.clients = static_cast<int>(record.cohort.size());
  done.sentences_per_second = record.sentences_per_second();
  done.loss = record.evaluation.loss;
  done.metric = record.evaluation.mcc;
  return done;
}

void RunWatch::on_round(const fed::RoundRecord& record) {
  Json fields{{"round", record.round}};
  fields.update(scores_json(record.evaluation));
  fields["sentences_per_second"] = record.sentences_per_second();
  fields["bytes"] = {{"up", record.bytes_up}, {"down", record.bytes_down}};
  fields["seconds"] = seconds_json(record.seconds);
  if (const Json errors = averaging_error_json(parts_.strategy); !errors.is_null()) fields["averaging_error"] = errors;
  parts_.events.write("round", fields);

  const std::scoped_lock lock(mutex_);
  state_.metric = record.evaluation.mcc;
  state_.seconds_left = seconds_left();
  parts_.progress.round_done(round_done_state(record));
}

}  // namespace fedtune::cli
