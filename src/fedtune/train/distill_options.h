// How teacher and student are drawn to one another: the settings alone, which need no tensors.
#pragma once

namespace fedtune::train {

enum class KdLoss {
  corrected,  // Kullback-Leibler divergences of softened answers, the weight detached
  reference,  // what the reference system computes: the same on raw logits, in the other direction
};

// What draws teacher and student to one another beside their tasks. Without any, distilling is training on the labels:
// the control that says what the teacher is worth.
enum class KdTerms { all, answers, attention, none };

struct DistillLossOptions {
  KdLoss form = KdLoss::corrected;
  KdTerms terms = KdTerms::all;
  double temperature = 2.0;  // of the softmax; corrected only
};

}  // namespace fedtune::train
