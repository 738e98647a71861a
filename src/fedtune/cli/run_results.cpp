#include "fedtune/cli/run_results.h"

#include <algorithm>

#include <fmt/format.h>

#include "fedtune/base/cpu.h"
#include "fedtune/base/memory.h"
#include "fedtune/cli/option_table.h"
#include "fedtune/cli/option_values.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/cli/version.h"
#include "fedtune/format/tensor_hash.h"
#include "fedtune/nn/kernels/select.h"
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

}  // namespace

nlohmann::ordered_json config_json(const Options& options) {
  nlohmann::ordered_json config = nlohmann::ordered_json::object();
  for (const OptionSpec& spec : option_table()) {
    if (!spec.stored) continue;
    std::string key(spec.name);
    std::ranges::replace(key, '-', '_');
    config[key] = spec.get(options);
  }
  return config;
}

report::RunResults results_of(const FinishedRun& run) {
  report::RunResults results;
  results.config = config_json(run.options);
  results.elapsed_seconds = run.elapsed_seconds;
  results.version = fedtune_version();
  results.torch = torch_version();
  results.cpu = cpu_model_name();
  results.kernels = nn::kernels::active().name;
  results.seed = run.options.training.seed;
  results.scheme = word(run.options.federation.scheme);
  for (const fed::RoundRecord& record : run.outcome.history) add_round(record, results);
  results.majority_accuracy = train::majority_accuracy(run.federation.data.validation);
  results.peak_rss_bytes = peak_rss_bytes();
  results.public_sentences = static_cast<std::int64_t>(run.federation.partition.public_share.size());
  results.clients = client_shares(run.options, run.federation);
  results.checkpoints = {.client = run.federation.checkpoint_sha256,
                         .teacher = run.federation.teacher ? run.federation.teacher->sha256 : "",
                         .tokenizer = run.federation.tokenizer.sha256()};
  results.final_sha256 = final_sha256(run.outcome.global);
  results.controls = run.controls;
  return results;
}

}  // namespace fedtune::cli
