// What averaging A and B apart costs, against the exact mean of the products B A.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "fedtune/aggregate/weighted_mean.h"

namespace fedtune::strategy {

struct LoraError {
  std::string layer;      // the name in front of ".lora_A.weight"
  double relative = 0.0;  // ||B A - sum_k p_k B_k A_k|| / ||sum_k p_k B_k A_k||, Frobenius; 0 where both are 0
};

// For every pair `x.lora_A.weight` [r, in], `x.lora_B.weight` [out, r], in wire order. The scale alpha / r cancels.
// `mean` is the contributions' weighted mean: its A and B are those averaged apart. The products are formed in fp32, on
// the threads that are in use, so that an error below about 1e-7 is not told from 0. Time grows with the clients.
// Throws Error(failed) where an A has no B that fits.
std::vector<LoraError> lora_averaging_errors(std::span<const aggregate::Contribution> contributions,
                                             const NamedTensors& mean);

}  // namespace fedtune::strategy
