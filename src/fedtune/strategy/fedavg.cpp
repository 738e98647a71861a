#include "fedtune/strategy/fedavg.h"

#include <utility>

#include "fedtune/aggregate/admission.h"
#include "fedtune/aggregate/weighted_mean.h"

namespace fedtune::strategy {

FedAvg::FedAvg(std::shared_ptr<const train::StudentTemplate> student, const Validation& validation)
    : student_(std::move(student)), validation_(validation) {}

fed::Evaluation FedAvg::evaluate(int /*round*/, const NamedTensors& global) {
  const train::Scores scores =
      train::evaluate(student_->for_scoring(global), validation_.examples, validation_.options);
  return {.loss = scores.loss,
          .reference_loss = scores.reference_loss,
          .accuracy = scores.accuracy,
          .mcc = scores.mcc,
          .f1 = scores.f1,
          .sentences = scores.sentences};
}

}  // namespace fedtune::strategy
