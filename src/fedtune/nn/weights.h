// Weights as the operations take them.
#pragma once

#include <memory>

#include <ATen/core/Tensor.h>

namespace fedtune::nn {

// A frozen matrix laid out for the matrix kernels of this processor, once for x W^T and once for dy W. Immutable,
// shared by all workers.
class PackedWeight;

// y = x W^T + b.
struct LinearWeight {
  at::Tensor weight;  // [out, in]
  at::Tensor bias;    // [out], or undefined
  // Set by freeze(): the weight needs no gradient and never changes.
  std::shared_ptr<const PackedWeight> packed;

  std::int64_t in() const { return weight.size(1); }
  std::int64_t out() const { return weight.size(0); }
};

// Marks the weight as frozen and prepares it for the matrix kernels. The bias stays as it is.
void freeze(LinearWeight& weight);

// y += scale * dropout(x) A^T B^T (Hu et al. 2021, "LoRA", equation 3; scale = alpha / r).
struct LoraWeight {
  at::Tensor a;  // [r, in]
  at::Tensor b;  // [out, r]
  double scale = 1.0;
};

struct LayerNormWeight {
  at::Tensor gamma;  // [features]
  at::Tensor beta;   // [features]
  double eps = 1e-12;
};

}  // namespace fedtune::nn
