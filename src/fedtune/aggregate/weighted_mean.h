// The mean of the clients' tensors, weighted: the same bits for any order of arrival.
#pragma once

#include <span>
#include <vector>

#include "fedtune/format/named_tensors.h"

namespace fedtune::aggregate {

// One client's share of a mean. The tensors' owner is not needed while the caller keeps the bytes alive.
struct Contribution {
  int rank = 0;
  double weight = 0.0;  // finite, > 0
  const NamedTensors* tensors = nullptr;
};

// sum_k p_k x_k with p_k = weight_k / sum of weights, in fp32. Each element is summed in double precision in ascending
// rank, whatever the order of `contributions`, and rounded once; no other order is ever used, so the result is a
// function of ranks, weights and values alone. `workers` threads work piece by piece: beside the result each allocates
// 1 MB, and of contributions that are mapped files it has one piece of one of them in memory at a time.
//
// All must have passed check_contribution for one layout of fp32 tensors. Throws Error(failed) where there is none, two
// share a rank, a weight is not finite and positive, or layouts differ.
NamedTensors weighted_mean(std::span<const Contribution> contributions, int workers = 1);

// The contributions in ascending rank. Throws Error(failed) as weighted_mean does.
std::vector<Contribution> by_rank(std::span<const Contribution> contributions);
// weight_k / sum of weights, in the order given.
std::vector<double> normalised_weights(std::span<const Contribution> sorted);

}  // namespace fedtune::aggregate
