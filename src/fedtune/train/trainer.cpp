#include "fedtune/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/train/adamw.h"
#include "fedtune/train/device_batch.h"
#include "fedtune/train/loss.h"

namespace fedtune::train {
namespace {

std::vector<at::Tensor> trained_leaves(models::SequenceClassifier& model) {
  std::vector<at::Tensor> leaves;
  const auto take = [&leaves](const at::Tensor& tensor) {
    if (tensor.defined() && tensor.requires_grad()) leaves.push_back(tensor);
  };
  for (const io::Parameter& parameter : model.parameters()) take(parameter.tensor);
  for (const models::Linear* linear : model.linears()) {
    if (!linear->lora) continue;
    take(linear->lora->weight.a);
    take(linear->lora->weight.b);
  }
  return leaves;
}

void require_valid(const TrainOptions& options, std::size_t sentences) {
  if (sentences == 0) throw input_error("training client {}: its share has no sentences", options.place.rank);
  if (options.epochs < 1) throw usage_error("training: {} epochs; at least 1 is needed", options.epochs);
  if (options.batch_size < 1)
    throw usage_error("training: batches of {} sentences; at least 1 is needed", options.batch_size);
}

// One phase: a model, its optimiser, and how far they have come.
class Phase {
 public:
  Phase(models::SequenceClassifier& model, std::span<const data::Example> pool, const TrainOptions& options,
        std::int64_t total_steps)
      : model_(model),
        pool_(pool),
        options_(options),
        optimizer_(trained_leaves(model), options.optimizer),
        total_steps_(total_steps) {}

  void step(std::span<const std::uint32_t> rows) {
    if (options_.stop && options_.stop()) throw Interrupted(interrupt_signal());
    const data::PackedBatch packed = data::pack(pool_, rows);
    const double loss = descend(to_batch(packed, model_));
    report_.sentences += packed.sentences();
    report_.tokens += packed.tokens();
    report_.mean_loss += (loss - report_.mean_loss) / static_cast<double>(report_.steps + 1);
    if (options_.on_step) options_.on_step(report_.steps, loss);
    ++report_.steps;
  }

  const TrainReport& report() const { return report_; }

 private:
  double descend(const models::Batch& batch) {
    StreamKey place = options_.place;
    place.purpose = Purpose::dropout;
    place.step = static_cast<std::uint32_t>(report_.steps);
    const models::ForwardResult result = model_.forward(batch, {.training = options_.dropout, .place = place});
    const at::Tensor loss = cross_entropy(result.logits, batch.labels);
    const double value = loss.item<double>();
    if (!std::isfinite(value)) throw diverged(value);
    loss.backward();
    optimizer_.step(learning_rate(options_.schedule, options_.optimizer.lr, {report_.steps, total_steps_}));
    return value;
  }

  Error diverged(double loss) const {
    return failed(
        "training client {}, round {}, step {}: the loss is {} where a finite number was expected; try a smaller "
        "learning rate than {}",
        options_.place.rank, options_.place.round, report_.steps + 1, loss, options_.optimizer.lr);
  }

  models::SequenceClassifier& model_;
  std::span<const data::Example> pool_;
  const TrainOptions& options_;
  AdamW optimizer_;
  std::int64_t total_steps_;
  TrainReport report_;
};

}  // namespace

std::vector<std::uint32_t> epoch_order(const StreamKey& place, std::uint32_t epoch, std::uint32_t examples) {
  StreamKey key = place;
  key.purpose = Purpose::shuffle;
  key.step = epoch;
  return RandomStream(key).permutation(examples);
}

TrainReport train(models::SequenceClassifier& model, std::span<const data::Example> pool,
                  std::span<const std::uint32_t> rows, const TrainOptions& options) {
  require_valid(options, rows.size());
  const auto start = std::chrono::steady_clock::now();
  const auto batch_size = static_cast<std::size_t>(options.batch_size);
  const auto steps_per_epoch = static_cast<std::int64_t>((rows.size() + batch_size - 1) / batch_size);
  Phase phase(model, pool, options, steps_per_epoch * options.epochs);
  for (int epoch = 0; epoch < options.epochs; ++epoch) {
    std::vector<std::uint32_t> order =
        epoch_order(options.place, static_cast<std::uint32_t>(epoch), static_cast<std::uint32_t>(rows.size()));
    for (std::uint32_t& index : order) index = rows[index];
    for (std::size_t first = 0; first < order.size(); first += batch_size) {
      phase.step(std::span(order).subspan(first, std::min(batch_size, order.size() - first)));
    }
    if (options.on_epoch) options.on_epoch(epoch);
  }
  TrainReport report = phase.report();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

TrainReport train(models::SequenceClassifier& model, std::span<const data::Example> examples,
                  const TrainOptions& options) {
  std::vector<std::uint32_t> rows(examples.size());
  std::iota(rows.begin(), rows.end(), 0u);
  return train(model, examples, rows, options);
}

}  // namespace fedtune::train
