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
// The scale alpha / r cancels. No [out, in] matrix is formed: with U = [B, -p_1 B_1, ...] and V = [A; A_1; ...] the
// norm is trace(U^T U V V^T), in double precision, which resolves a relative error of about 1e-8. Throws Error(failed)
// as weighted_mean does, and where an A has no B or their shapes do not fit.
std::vector<LoraError> lora_averaging_errors(std::span<const Contribution> contributions);

}  // namespace fedtune::aggregate
