// What teacher and student descend together: their task losses, the gap between their answers, the gap between their
// attention.
#pragma once

#include <cstddef>
#include <vector>

#include <ATen/core/Tensor.h>

#include "fedtune/models/classifier.h"
#include "fedtune/models/config.h"
#include "fedtune/train/distill_options.h"
#include "fedtune/train/teacher_and_student.h"

namespace fedtune::train {

// Layers whose attention is compared, from 0 at the embeddings.
using LayerPair = TeacherAndStudent<std::size_t>;

// Pairs counted from the top: the student's layer l with the teacher's l * (teacher layers / student layers). Throws
// Error(usage) when the numbers of heads differ or the teacher's layers are no multiple of the student's.
std::vector<LayerPair> matched_layers(const TeacherAndStudent<const models::ModelConfig&>& configs);

// The loss of a batch. Immutable.
class DistillLoss {
 public:
  // Throws Error(usage) as matched_layers, and for a temperature that is not above 0.
  DistillLoss(const DistillLossOptions& options, const TeacherAndStudent<const models::ModelConfig&>& configs);

  // A scalar, with CE_t and CE_s the mean cross-entropies, sg the stop-gradient and p the softmax at temperature T:
  //   corrected  CE_s + CE_t + w [T^2 KL(sg p_t || p_s) + T^2 KL(sg p_s || p_t) + att],  w = sg(1 / (CE_s + CE_t + 1))
  //   reference  CE_s + CE_t + att / D + [kl(sg z_t -> z_s) + kl(sg z_s -> z_t)] / sg D,  D = CE_s + CE_t + 1
  // Terms that are not asked for are left out of the sum.
  // A teacher whose logits need no gradient has stopped learning: CE_t and the term that draws it to the student are
  // left out of the sum; w and D stay as they are. Probabilities are those of models::ForwardResult, for every layer.
  at::Tensor operator()(const TeacherAndStudent<const models::ForwardResult&>& outputs, const at::Tensor& labels) const;

 private:
  at::Tensor pull(const at::Tensor& towards, const at::Tensor& logits) const;
  bool has(KdTerms term) const { return options_.terms == KdTerms::all || options_.terms == term; }

  DistillLossOptions options_;
  std::vector<LayerPair> layers_;
};

// The sum over the pairs of layers of the mean squared difference between two models' probabilities, over heads and the
// pairs of tokens within a sentence. Gradients to both.
at::Tensor attention_gap(const TeacherAndStudent<const models::ForwardResult&>& outputs,
                         const std::vector<LayerPair>& layers);

// A model's answers and the answers it is drawn to, [sentences, classes] both; the latter get no gradient.
struct Answers {
  const at::Tensor& logits;
  const at::Tensor& towards;
};
// T^2 KL(softmax(towards / T) || softmax(logits / T)), the mean over sentences (Hinton et al. 2015).
at::Tensor softened_divergence(const Answers& answers, double temperature);
// The reference's kl(towards -> logits): sum of exp(logits) (logits - towards) over classes, the mean over sentences.
// No divergence: raw logits are no log-probabilities, and it can be negative.
at::Tensor raw_divergence(const Answers& answers);

}  // namespace fedtune::train
