#include "fedtune/cli/run_watch.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "fedtune/strategy/fedlora.h"

namespace fedtune::cli {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr std::string_view distilling = "distilling";

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Json scores_json(const fed::Evaluation& scores) {
  Json json{{"loss", scores.loss}, {"accuracy", scores.accuracy}, {"mcc", scores.mcc}, {"f1", scores.f1}};
  if (scores.teacher) {
    json["teacher_loss"] = scores.teacher->loss;
    json["teacher_accuracy"] = scores.teacher->accuracy;
  }
  return json;
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
  for (const strategy::LoraError& error : lora->averaging_errors()) errors[error.layer] = error.relative;
  return errors;
}

// What each accepted contribution weighed and changed.
Json contributions_json(const fed::Strategy& strategy) {
  Json list = Json::array();
  const auto* averaging = dynamic_cast<const strategy::FedAvg*>(&strategy);
  if (averaging == nullptr) return list;
  for (const aggregate::ContributionChange& change : averaging->changes()) {
    list.push_back({{"rank", change.rank}, {"share", change.share}, {"norm", change.norm}, {"cosine", change.cosine}});
  }
  return list;
}

}  // namespace

RunWatch::RunWatch(const Options& options, const Parts& parts)
    : options_(options), parts_(parts), process_start_(Clock::now()), phase_start_(process_start_) {
  state_.rounds = options.federation.num_rounds;
  state_.metric_name = "MCC";
}

fed::Observer RunWatch::observer(const fed::Strategy& strategy) {
  return {.on_start = [this](const auto& record) { on_start(record); },
          .on_round_start = [this](int round, std::span<const int> cohort) { on_round_start(round, cohort); },
          .on_client = [this](int round, const auto& client) { on_client(round, client); },
          .on_refused = [this](int round, const auto& refusal) { on_refused(round, refusal); },
          .on_round = [this, &strategy](const auto& record) { on_round(record, strategy); },
          .events_bytes = [this] { return parts_.events.bytes(); }};
}

std::int64_t RunWatch::steps_of(int rank) const {
  const auto rows =
      static_cast<std::int64_t>(parts_.federation.partition.clients[static_cast<std::size_t>(rank - 1)].size());
  const std::int64_t batch = options_.training.batch_size;
  return (rows + batch - 1) / batch * options_.training.client_epochs;
}

// An upper bound: the guard ends the teacher's own phase early once it has stopped the teacher.
std::int64_t RunWatch::distil_steps() const {
  if (!parts_.federation.teacher) return 0;
  const auto rows = static_cast<std::int64_t>(parts_.federation.partition.public_share.size());
  const std::int64_t batch = options_.training.batch_size;
  return (rows + batch - 1) / batch * (options_.distill.teacher_pretrain_epochs + options_.distill.kd_epochs);
}

void RunWatch::count_steps_locked(std::int64_t steps, double loss) {
  process_steps_ += steps;
  round_steps_ += steps;
  phase_steps_ += steps;
  phase_loss_ += (loss - phase_loss_) * static_cast<double>(steps) / static_cast<double>(phase_steps_);
  state_.loss = phase_loss_;
  state_.sentences_per_second =
      static_cast<double>(phase_steps_ * options_.training.batch_size) / seconds_since(phase_start_);
  state_.seconds_left = seconds_left();
}

void RunWatch::on_step(double loss) {
  const std::scoped_lock lock(mutex_);
  count_steps_locked(1, loss);
  parts_.progress.update(state_);
}

void RunWatch::on_distil_step(double loss) {
  const std::scoped_lock lock(mutex_);
  if (state_.phase != distilling) begin_phase_locked(distilling);
  count_steps_locked(1, loss);
  parts_.progress.update(state_);
}

// Loss and speed are shown for each phase on its own.
void RunWatch::begin_phase_locked(std::string_view phase) {
  state_.phase = phase;
  phase_start_ = Clock::now();
  phase_steps_ = 0;
  phase_loss_ = 0.0;
}

double RunWatch::seconds_left() const {
  const std::int64_t rounds = state_.rounds - state_.round;
  const std::int64_t steps = std::max<std::int64_t>(expected_steps_ - round_steps_, 0) + rounds * expected_steps_;
  return seconds_since(process_start_) / static_cast<double>(std::max<std::int64_t>(process_steps_, 1)) *
         static_cast<double>(steps);
}

void RunWatch::on_start(const fed::RoundRecord& record) {
  Json fields{{"round", 0}};
  fields.update(scores_json(record.evaluation));
  fields["global_sha256"] = record.global_sha256;
  parts_.events.write("start", fields);
  const std::scoped_lock lock(mutex_);
  process_start_ = Clock::now();
}

void RunWatch::on_round_start(int round, std::span<const int> cohort) {
  parts_.events.write("round_start", {{"round", round}, {"cohort", std::vector<int>(cohort.begin(), cohort.end())}});
  const std::scoped_lock lock(mutex_);
  begin_phase_locked("training");
  state_.round = round;
  state_.clients = static_cast<int>(cohort.size());
  state_.clients_done = 0;
  round_steps_ = 0;
  expected_steps_ = distil_steps();
  for (const int rank : cohort) expected_steps_ += steps_of(rank);
  parts_.progress.update(state_);
}

void RunWatch::on_client(int round, const fed::ClientRecord& client) {
  parts_.events.write_unsynced("client", {{"round", round},
                                          {"rank", client.rank},
                                          {"weight", client.weight},
                                          {"sent_weight", client.sent_weight},
                                          {"sentences", client.report.sentences},
                                          {"batches", client.report.batches},
                                          {"tokens", client.report.tokens},
                                          {"loss", client.report.loss},
                                          {"seconds", client.report.seconds}});
  const std::scoped_lock lock(mutex_);
  if (remote_ && client.report.batches > 0) count_steps_locked(client.report.batches, client.report.loss);
  ++state_.clients_done;
  if (state_.clients_done == state_.clients) state_.phase = "evaluating";
  parts_.progress.update(state_);
}

void RunWatch::on_refused(int round, const fed::Refusal& refusal) {
  parts_.events.write_unsynced("refused", {{"round", round}, {"rank", refusal.rank}, {"reason", refusal.reason}});
  parts_.progress.print_line(fmt::format("round {}: client {} is left out: {}", round, refusal.rank, refusal.reason));
}

// It may be right, as where one owner has most of the data; who looks should know.
void RunWatch::on_heavy(const fed::RoundRecord& record, int rank) {
  const auto client = std::ranges::find(record.accepted, rank, &fed::ClientRecord::rank);
  parts_.events.write("heavy", {{"round", record.round}, {"rank", rank}, {"sent_weight", client->sent_weight}});
  parts_.progress.print_line(
      fmt::format("round {}: client {} says it weighs {}, more than ten times the median of the accepted{}",
                  record.round, rank, client->sent_weight,
                  client->weight < client->sent_weight ? fmt::format("; {} enters", client->weight)
                                                       : "; --max-client-weight caps it"));
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

void RunWatch::on_round(const fed::RoundRecord& record, const fed::Strategy& strategy) {
  for (const fed::ClientRecord& client : record.accepted) {
    parts_.events.write_unsynced("measured", {{"round", record.round},
                                              {"rank", client.rank},
                                              {"norm", client.norm},
                                              {"change", client.change},
                                              {"sha256", client.sha256}});
  }
  Json fields{{"round", record.round}};
  fields.update(scores_json(record.evaluation));
  fields["accepted"] = Json::array();  // a round that was tried twice has "client" events of both attempts
  for (const fed::ClientRecord& client : record.accepted) fields["accepted"].push_back(client.rank);
  fields["global_sha256"] = record.global_sha256;
  fields["sentences_per_second"] = record.sentences_per_second();
  fields["bytes"] = {{"up", record.bytes_up}, {"down", record.bytes_down}};
  fields["seconds"] = seconds_json(record.seconds);
  fields["contributions"] = contributions_json(strategy);
  if (const Json errors = averaging_error_json(strategy); !errors.is_null()) fields["averaging_error"] = errors;
  parts_.events.write("round", fields);
  for (const int rank : fed::heavy_clients(record)) on_heavy(record, rank);

  const std::scoped_lock lock(mutex_);
  state_.metric = record.evaluation.mcc;
  state_.seconds_left = seconds_left();
  parts_.progress.round_done(round_done_state(record));
}

}  // namespace fedtune::cli
