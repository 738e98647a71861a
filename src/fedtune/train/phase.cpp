#include "fedtune/train/phase.h"

#include <cmath>

#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/base/profile.h"
#include "fedtune/io/parameters.h"
#include "fedtune/train/device_batch.h"
#include "fedtune/train/loss.h"
#include "fedtune/train/trained_leaves.h"

namespace fedtune::train {

Phase::Phase(models::SequenceClassifier& model, const PhaseOptions& options, std::int64_t total_steps)
    : model_(model),
      options_(options),
      optimizer_(trained_leaves(model), options.optimizer),
      total_steps_(total_steps) {}

double Phase::step(const data::PackedBatch& packed) {
  throw_if_stopped(options_);
  const ProfiledStep profiled(options_.place.role == ModelRole::teacher ? StepKind::teacher : StepKind::client);
  const double loss = descend(to_batch(packed, model_));
  record_step(options_, packed, loss, report_);
  return loss;
}

NamedTensors Phase::moments() const {
  io::Parameters named;
  for (const at::Tensor& tensor : optimizer_.state()) {
    named.push_back({fmt::format("moment.{:04}", named.size()), tensor.to(at::kCPU)});
  }
  return io::named_tensors_from(named);
}

void Phase::resume(std::int64_t steps, const NamedTensors& moments) {
  std::vector<at::Tensor> state;
  for (const io::Parameter& parameter : io::parameters_from(moments)) state.push_back(parameter.tensor);
  optimizer_.restore(state);
  report_.steps = steps;
}

double Phase::descend(const models::Batch& batch) {
  StreamKey place = options_.place;
  place.purpose = Purpose::dropout;
  place.step = static_cast<std::uint32_t>(report_.steps);
  const models::ForwardResult result = model_.forward(batch, {.training = options_.dropout, .place = place});
  const at::Tensor loss = cross_entropy(result.logits, batch.labels);
  const double value = loss.item<double>();
  require_finite(value, options_, report_.steps);
  optimizer_.step_during([&loss] { loss.backward(); },
                         learning_rate(options_.schedule, options_.optimizer.lr, {report_.steps, total_steps_}));
  return value;
}

void throw_if_stopped(const PhaseOptions& options) {
  if (options.stop && options.stop()) throw Interrupted(interrupt_signal());
}

void require_finite(double loss, const PhaseOptions& options, std::int64_t step) {
  if (std::isfinite(loss)) return;
  throw failed(
      "training {}, round {}, step {}: the loss is {} where a finite number was expected; try a learning rate below "
      "{:g}",
      trainee_name(options.place), options.place.round, step + 1, std::isnan(loss) ? "nan" : "infinite",
      options.optimizer.lr);
}

void record_step(const PhaseOptions& options, const data::PackedBatch& packed, double loss, TrainReport& report) {
  report.sentences += packed.sentences();
  report.tokens += packed.tokens();
  report.mean_loss += (loss - report.mean_loss) / static_cast<double>(report.steps + 1);
  if (options.on_step) options.on_step(report.steps, loss);
  ++report.steps;
}

std::string trainee_name(const StreamKey& place) {
  if (place.rank > 0) return fmt::format("client {}", place.rank);
  return place.role == ModelRole::teacher ? "the teacher" : "at the server";
}

}  // namespace fedtune::train
