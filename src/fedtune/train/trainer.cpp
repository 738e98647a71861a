#include "fedtune/train/trainer.h"

#include <algorithm>
#include <numeric>

#include "fedtune/base/clock.h"
#include "fedtune/base/error.h"
#include "fedtune/nn/thread.h"

namespace fedtune::train {
namespace {

void require_valid(const TrainOptions& options, std::size_t sentences) {
  if (sentences == 0) throw input_error("training {}: its share has no sentences", trainee_name(options.phase.place));
  if (options.epochs < 1) throw usage_error("training: {} epochs; at least 1 is needed", options.epochs);
  if (options.batch_size < 1) {
    throw usage_error("training: batches of {} sentences; at least 1 is needed", options.batch_size);
  }
}

}  // namespace

std::vector<std::uint32_t> epoch_order(const StreamKey& place, std::uint32_t epoch, std::uint32_t examples) {
  StreamKey key = place;
  key.purpose = Purpose::shuffle;
  key.step = epoch;
  return RandomStream(key).permutation(examples);
}

std::int64_t steps_of(std::span<const std::uint32_t> rows, const TrainOptions& options) {
  require_valid(options, rows.size());
  const auto batch_size = static_cast<std::size_t>(options.batch_size);
  return static_cast<std::int64_t>((rows.size() + batch_size - 1) / batch_size) * options.epochs;
}

void for_each_batch(std::span<const data::Example> pool, std::span<const std::uint32_t> rows,
                    const TrainOptions& options, const std::function<void(const data::PackedBatch&)>& step) {
  require_valid(options, rows.size());
  const auto batch_size = static_cast<std::size_t>(options.batch_size);
  for (int epoch = 0; epoch < options.epochs; ++epoch) {
    std::vector<std::uint32_t> order =
        epoch_order(options.phase.place, static_cast<std::uint32_t>(epoch), static_cast<std::uint32_t>(rows.size()));
    for (std::uint32_t& index : order) index = rows[index];
    for (std::size_t first = 0; first < order.size(); first += batch_size) {
      // A step at a time: what is between them brings its own threads.
      const nn::UseThreads threads(std::max(options.threads, nn::threads_in_use()));
      step(data::pack(pool, std::span(order).subspan(first, std::min(batch_size, order.size() - first))));
    }
    if (options.on_epoch && !options.on_epoch(epoch)) return;
  }
}

TrainReport train(models::SequenceClassifier& model, std::span<const data::Example> pool,
                  std::span<const std::uint32_t> rows, const TrainOptions& options) {
  const Stopwatch watch;
  Phase phase(model, options.phase, steps_of(rows, options));
  for_each_batch(pool, rows, options, [&phase](const data::PackedBatch& packed) { phase.step(packed); });
  TrainReport report = phase.report();
  report.seconds = watch.seconds();
  return report;
}

TrainReport train(models::SequenceClassifier& model, std::span<const data::Example> examples,
                  const TrainOptions& options) {
  std::vector<std::uint32_t> rows(examples.size());
  std::iota(rows.begin(), rows.end(), 0u);
  return train(model, examples, rows, options);
}

}  // namespace fedtune::train
