#include "fedtune/strategy/fedavg.h"

#include <utility>

#include "fedtune/aggregate/admission.h"

namespace fedtune::strategy {

std::vector<aggregate::Contribution> contributions_of(std::span<const fed::Update> updates) {
  std::vector<aggregate::Contribution> contributions;
  contributions.reserve(updates.size());
  for (const fed::Update& update : updates) contributions.push_back({update.rank, update.weight, &update.tensors});
  return contributions;
}

FedAvg::FedAvg(std::shared_ptr<const train::StudentTemplate> student, const Validation& validation)
    : student_(std::move(student)), validation_(validation) {}

Status FedAvg::admit(const fed::Update& update) const {
  return aggregate::check_contribution(layout(), {.tensors = update.tensors, .weight = update.weight});
}

NamedTensors FedAvg::aggregate(int /*round*/, const NamedTensors& global, std::span<const fed::Update> accepted) {
  const std::vector<aggregate::Contribution> contributions = contributions_of(accepted);
  const int workers = validation_.options.workers;
  NamedTensors mean = aggregate::weighted_mean(contributions, workers);
  changes_ = aggregate::contribution_changes(contributions, {.global = global, .mean = mean}, workers);
  return mean;
}

fed::Evaluation FedAvg::evaluate(int /*round*/, const NamedTensors& global) {
  const train::Scores scores =
      train::evaluate(student_->for_scoring(global), validation_.examples, validation_.options);
  return {.loss = scores.loss,
          .reference_loss = scores.reference_loss,
          .accuracy = scores.accuracy,
          .mcc = scores.mcc,
          .f1 = scores.f1,
          .sentences = scores.sentences,
          .teacher = {}};
}

}  // namespace fedtune::strategy
