// Federated averaging (McMahan et al. 2017): the next global tensors are the weighted mean of the clients' tensors.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "fedtune/aggregate/contribution_change.h"
#include "fedtune/aggregate/weighted_mean.h"
#include "fedtune/data/batch.h"
#include "fedtune/fed/strategy.h"
#include "fedtune/train/evaluate.h"
#include "fedtune/train/student.h"

namespace fedtune::strategy {

// What the server scores the global model on. `examples` must outlive the strategy. Averaging takes as many threads as
// scoring.
struct Validation {
  std::span<const data::Example> examples = {};
  train::EvaluateOptions options = {};
};

// The updates as the weighted mean reads them; `updates` must outlive the result.
std::vector<aggregate::Contribution> contributions_of(std::span<const fed::Update> updates);

// Averages whatever the student sends: all its parameters, as the name says in the literature.
class FedAvg : public fed::Strategy {
 public:
  FedAvg(std::shared_ptr<const train::StudentTemplate> student, const Validation& validation);

  const Layout& layout() const override { return student_->layout(); }
  NamedTensors initial() override { return student_->initial(); }
  Status admit(const fed::Update& update) const override;
  NamedTensors aggregate(int round, const NamedTensors& global, std::span<const fed::Update> accepted) override;
  fed::Evaluation evaluate(int round, const NamedTensors& global) override;
  // What each contribution to the last aggregate changed, by rank.
  const std::vector<aggregate::ContributionChange>& changes() const { return changes_; }

 protected:
  const train::StudentTemplate& student() const { return *student_; }
  const Validation& validation() const { return validation_; }

 private:
  std::shared_ptr<const train::StudentTemplate> student_;
  Validation validation_;
  std::vector<aggregate::ContributionChange> changes_;
};

}  // namespace fedtune::strategy
