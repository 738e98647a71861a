// What averaging A and B apart costs, against the exact mean of the products B A.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "fedtune/aggregate/weighted_mean.h"

namespace fedtune::aggregate {

struct LoraError {
  std::string layer;      // the name in front of ".lora_A.weight"
  double relative = 0.0;  // ||B A - sum_k p_k B_k A_k|| / ||sum_k p_k B_k A_k||, Frobenius; 0 where both are 0
};

// For every pair `x.lora_A.weight` [r, in], `x.lora_B.weight` [out, r], in wire order; A and B are the weighted means.
// The scale alpha / r cancels. No [out, in] matrix is formed: <B A, B' A'> = sum of (B^T B') * (A A'^T), element by
// element, in double precision, which resolves a relative error of about 1e-8. Time grows with the square of the
// clients. Throws Error(failed) as weighted_mean does, and where an A has no B that fits.
std::vector<LoraError> lora_averaging_errors(std::span<const Contribution> contributions);

}  // namespace fedtune::aggregate
