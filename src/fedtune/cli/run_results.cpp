#include "fedtune/cli/run_results.h"

#include <algorithm>

#include <fmt/format.h>

#include "fedtune/base/cpu.h"
#include "fedtune/base/memory.h"
#include "fedtune/cli/option_table.h"
#include "fedtune/cli/option_values.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/cli/shell_word.h"
#include "fedtune/cli/shown_path.h"
#include "fedtune/cli/version.h"
#include "fedtune/format/tensor_hash.h"
#include "fedtune/train/evaluate.h"

namespace fedtune::cli {
namespace {

report::RoundMetrics metrics_of(const fed::RoundRecord& record) {
  const fed::Evaluation& scores = record.evaluation;
  report::RoundMetrics metrics{.round = record.round,
                               .loss = scores.loss,
                               .reference_loss = scores.reference_loss,
                               .accuracy = scores.accuracy,
                               .mcc = scores.mcc,
                               .f1 = scores.f1};
  if (scores.teacher) {
    metrics.teacher = {.loss = scores.teacher->loss,
                       .reference_loss = scores.teacher->reference_loss,
                       .accuracy = scores.teacher->accuracy};
  }
  return metrics;
}

void add_round(const fed::RoundRecord& record, report::RunResults& results) {
  results.metrics.push_back(metrics_of(record));
  if (record.round == 0) return;
  results.bytes.push_back({.round = record.round, .up = record.bytes_up, .down = record.bytes_down});
  results.seconds.push_back({.round = record.round,
                             .train = record.seconds.train,
                             .aggregate = record.seconds.aggregate,
                             .distil = record.seconds.distil,
                             .evaluate = record.seconds.evaluate,
                             .wait = record.seconds.wait});
  report::RoundContributions& round = results.contributions.emplace_back();
  round = {.round = record.round, .global_sha256 = record.global_sha256};
  for (const fed::ClientRecord& client : record.accepted) {
    round.accepted.push_back({.rank = client.rank,
                              .weight = client.weight,
                              .norm = client.norm,
                              .change = client.change,
                              .sha256 = client.sha256});
  }
  for (const fed::Refusal& refusal : record.refused) {
    round.left_out.push_back({.rank = refusal.rank, .reason = refusal.reason});
  }
  results.speed.push_back({.round = record.round, .sentences_per_second = record.sentences_per_second()});
}

std::vector<report::ClientShare> client_shares(const Options& options, const Federation& federation) {
  std::vector<report::ClientShare> shares;
  const data::Dataset& dataset = federation.data.sentences;
  const std::int64_t batch = options.training.batch_size;
  for (const std::vector<std::uint32_t>& rows : federation.partition.clients) {
    const auto sentences = static_cast<std::int64_t>(rows.size());
    shares.push_back({.rank = static_cast<int>(shares.size()) + 1,
                      .sentences = sentences,
                      .batches = (sentences + batch - 1) / batch,
                      .labels = data::count_labels(dataset.train, rows, dataset.num_labels)});
  }
  return shares;
}

nlohmann::json shown_value(const nlohmann::json& value, const Surroundings& around) {
  return value.is_string() ? nlohmann::json(shown_path(value.get<std::string>(), around)) : value;
}

// The options that decide the results and are not as they are by default. The simulation gives the bits of a server.
std::string command_text(const Options& options) {
  const Options defaults;
  const Surroundings around = surroundings();
  std::string command = "fedtune run";
  for (const OptionSpec& spec : option_table()) {
    const nlohmann::json value = spec.get(options);
    if (!spec.stored || spec.on_resume == OnResume::may_differ || value.is_null() || value == spec.get(defaults)) {
      continue;
    }
    command += fmt::format(" --{}", spec.name);
    if (spec.arity != Arity::flag) command += fmt::format(" {}", shell_path(value_text(shown_value(value, around))));
  }
  return command;
}

}  // namespace

nlohmann::ordered_json config_json(const Options& options) {
  const Surroundings around = surroundings();
  nlohmann::ordered_json config = nlohmann::ordered_json::object();
  for (const OptionSpec& spec : option_table()) {
    if (!spec.stored) continue;
    std::string key(spec.name);
    std::ranges::replace(key, '-', '_');
    config[key] = shown_value(spec.get(options), around);
  }
  return config;
}

report::RunResults opening_of(const Options& options, const Federation& federation) {
  const data::Dataset& dataset = federation.data.sentences;
  report::RunResults results;
  results.config = config_json(options);
  results.version = fedtune_version();
  results.torch = torch_version();
  results.cpu = cpu_model_name();
  results.kernels = kernels_text(options.training.dtype);
  results.seed = options.training.seed;
  results.scheme = word(options.federation.scheme);
  results.majority_accuracy = train::majority_accuracy(federation.data.validation);
  results.public_sentences = static_cast<std::int64_t>(federation.partition.public_share.size());
  results.public_labels = data::count_labels(dataset.train, federation.partition.public_share, dataset.num_labels);
  results.validation_labels.assign(static_cast<std::size_t>(dataset.num_labels), 0);
  for (const data::Sentence& sentence : dataset.validation) {
    ++results.validation_labels[static_cast<std::size_t>(sentence.label)];
  }
  results.clients = client_shares(options, federation);
  results.checkpoints = {.client = federation.checkpoint_sha256,
                         .teacher = federation.teacher ? federation.teacher->sha256 : "",
                         .tokenizer = federation.tokenizer.sha256()};
  results.command = command_text(options);
  return results;
}

report::RunResults results_of(const FinishedRun& run) {
  report::RunResults results = opening_of(run.options, run.federation);
  results.elapsed_seconds = run.elapsed_seconds;
  for (const fed::RoundRecord& record : run.outcome.history) add_round(record, results);
  results.peak_rss_bytes = peak_rss_bytes();
  results.final_sha256 = final_sha256(run.outcome.global);
  results.controls = run.controls;
  return results;
}

}  // namespace fedtune::cli
