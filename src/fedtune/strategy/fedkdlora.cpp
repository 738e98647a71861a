#include "fedtune/strategy/fedkdlora.h"

#include <utility>

#include "fedtune/train/distill_loss.h"

namespace fedtune::strategy {

FedKdLora::FedKdLora(std::shared_ptr<const train::StudentTemplate> student, const Validation& validation,
                     Distiller distiller)
    : FedLora(std::move(student), validation), distiller_(std::move(distiller)) {
  train::matched_layers({.teacher = distiller_.teacher().config, .student = this->student().config()});
}

NamedTensors FedKdLora::refine(int round, NamedTensors aggregated) {
  models::SequenceClassifier model = student().for_training(aggregated);
  distiller_.distil(round, model);
  return student().travelling(model);
}

fed::Evaluation FedKdLora::evaluate(int round, const NamedTensors& global) {
  if (!teacher_scores_ || teacher_scores_->since != distiller_.since()) {
    const train::Scores scores = train::evaluate(distiller_.teacher(), validation().examples, validation().options);
    teacher_scores_ = {
        .since = distiller_.since(),
        .scores = {.loss = scores.loss, .reference_loss = scores.reference_loss, .accuracy = scores.accuracy}};
  }
  fed::Evaluation evaluation = FedLora::evaluate(round, global);
  evaluation.teacher = teacher_scores_->scores;
  return evaluation;
}

}  // namespace fedtune::strategy
