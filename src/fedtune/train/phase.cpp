#include "fedtune/train/phase.h"

#include <cmath>
#include <string>
#include <vector>

#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
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

}  // namespace

Phase::Phase(models::SequenceClassifier& model, const PhaseOptions& options, std::int64_t total_steps)
    : model_(model),
      options_(options),
      optimizer_(trained_leaves(model), options.optimizer),
      total_steps_(total_steps) {}

double Phase::step(const data::PackedBatch& packed) {
  if (options_.stop && options_.stop()) throw Interrupted(interrupt_signal());
  const double loss = descend(to_batch(packed, model_));
  report_.sentences += packed.sentences();
  report_.tokens += packed.tokens();
  report_.mean_loss += (loss - report_.mean_loss) / static_cast<double>(report_.steps + 1);
  if (options_.on_step) options_.on_step(report_.steps, loss);
  ++report_.steps;
  return loss;
}

double Phase::descend(const models::Batch& batch) {
  StreamKey place = options_.place;
  place.purpose = Purpose::dropout;
  place.step = static_cast<std::uint32_t>(report_.steps);
  const models::ForwardResult result = model_.forward(batch, {.training = options_.dropout, .place = place});
  const at::Tensor loss = cross_entropy(result.logits, batch.labels);
  const double value = loss.item<double>();
  if (!std::isfinite(value)) fail_diverged(value);
  loss.backward();
  optimizer_.step(learning_rate(options_.schedule, options_.optimizer.lr, {report_.steps, total_steps_}));
  return value;
}

void Phase::fail_diverged(double loss) const {
  const StreamKey& place = options_.place;
  const std::string who = place.role == ModelRole::teacher ? "the teacher" : fmt::format("client {}", place.rank);
  throw failed(
      "training {}, round {}, step {}: the loss is {} where a finite number was expected; try a learning rate below "
      "{:g}",
      who, place.round, report_.steps + 1, std::isnan(loss) ? "nan" : "infinite", options_.optimizer.lr);
}

}  // namespace fedtune::train
