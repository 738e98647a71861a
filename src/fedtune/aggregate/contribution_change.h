// What each client's contribution changed, for the record: nothing here enters an aggregate.
#pragma once

#include <span>
#include <vector>

#include "fedtune/aggregate/weighted_mean.h"

namespace fedtune::aggregate {

struct ContributionChange {
  int rank = 0;
  double share = 0.0;   // its part of the mean: weight / sum of weights
  double norm = 0.0;    // ||x_k - g||, L2 over all values: how far it went from the global tensors it was sent
  double cosine = 0.0;  // of the angle between x_k - g and mean - g, in [-1, 1]; 0 where either is 0
};

struct Averaged {
  const NamedTensors& global;  // g: what the round began with
  const NamedTensors& mean;    // weighted_mean of the contributions
};

// In ascending rank; sums are in double precision. All share one layout of fp32 tensors. `workers` threads take a
// contribution after the other; the result does not depend on how many. Throws Error(failed) as weighted_mean does.
std::vector<ContributionChange> contribution_changes(std::span<const Contribution> contributions,
                                                     const Averaged& averaged, int workers = 1);

}  // namespace fedtune::aggregate
