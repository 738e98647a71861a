// Whether a contribution may enter the aggregate. Nothing in it is trusted.
#pragma once

#include "fedtune/base/status.h"
#include "fedtune/format/named_tensors.h"

namespace fedtune::aggregate {

struct AdmissionLimits {
  // Largest L2 norm of all values of a contribution together. The weights of a 7-billion-parameter model have a norm of
  // some thousands; a million leaves room, and a single 1e30 does not pass.
  double max_norm = 1e6;
  // Largest weight: batches or sentences of a share. A mean of weights below it cannot overflow.
  double max_weight = 1e15;
};

struct Offer {
  const NamedTensors& tensors;
  double weight = 0.0;
};

// Names, their order, types, shapes and sizes as in `layout`; fp32 values, each finite; norm and weight within the
// limits. The reason of a refusal names the tensor, found and expected.
Status check_contribution(const Layout& layout, const Offer& offer, const AdmissionLimits& limits = {});

}  // namespace fedtune::aggregate
