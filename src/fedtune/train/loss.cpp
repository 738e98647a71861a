#include "fedtune/train/loss.h"

#include <algorithm>
#include <cmath>

#include <ATen/ops/cross_entropy_loss.h>

#include "fedtune/base/profile.h"

namespace fedtune::train {

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels) {
  const ProfileScope scope(Work::loss);
  return at::cross_entropy_loss(logits.to(at::kFloat), labels);
}

double cross_entropy(std::span<const float> logits, std::int32_t label) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return std::log(sum) + largest - static_cast<double>(logits[static_cast<std::size_t>(label)]);
}

}  // namespace fedtune::train
