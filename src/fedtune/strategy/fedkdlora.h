// FedKDLoRA: FedLoRA whose server distils a teacher into the averaged adapters after each round, and learns with them
// (the reference system; FedKD, Wu et al. 2022; Zhang et al. 2018, deep mutual learning).
#pragma once

#include <memory>
#include <optional>

#include "fedtune/strategy/distiller.h"
#include "fedtune/strategy/fedlora.h"

namespace fedtune::strategy {

class FedKdLora : public FedLora {
 public:
  // Throws Error(usage) when teacher and student cannot be compared (train::matched_layers).
  FedKdLora(std::shared_ptr<const train::StudentTemplate> student, const Validation& validation, Distiller distiller);

  NamedTensors refine(int round, NamedTensors aggregated) override;
  fed::StrategyState state() const override { return distiller_.state(); }
  void restore(const fed::StrategyState& state) override { distiller_.restore(state); }
  // The student, and the teacher where it has changed since it was last scored.
  fed::Evaluation evaluate(int round, const NamedTensors& global) override;

  const Distiller& distiller() const { return distiller_; }

 private:
  struct TeacherScores {
    int since = 0;
    fed::TeacherEvaluation scores{};
  };

  Distiller distiller_;
  std::optional<TeacherScores> teacher_scores_;
};

}  // namespace fedtune::strategy
