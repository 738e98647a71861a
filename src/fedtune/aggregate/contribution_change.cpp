#include "fedtune/aggregate/contribution_change.h"

#include <algorithm>
#include <cmath>

#include "fedtune/base/error.h"
#include "fedtune/base/parallel.h"

namespace fedtune::aggregate {
namespace {

struct Sums {
  double own = 0.0, mean = 0.0, both = 0.0;  // <d, d>, <m, m>, <d, m> for the changes d of a client and m of the mean
};

void require_same_layout(const NamedTensors& tensors, const NamedTensors& expected) {
  if (layout_of(tensors) != layout_of(expected)) {
    throw failed("measuring contributions: the tensors of a client and of the round differ in layout");
  }
}

Sums sums_of(const NamedTensors& client, const Averaged& averaged) {
  Sums sums;
  ReadOnce reading(client);
  for (std::size_t t = 0; t < client.tensors.size(); ++t) {
    const std::span<const float> own = client.tensors[t].f32();
    const std::span<const float> global = averaged.global.tensors[t].f32();
    const std::span<const float> mean = averaged.mean.tensors[t].f32();
    for (std::size_t i = 0; i < own.size(); ++i) {
      const double d = double{own[i]} - global[i];
      const double m = double{mean[i]} - global[i];
      sums.own += d * d;
      sums.mean += m * m;
      sums.both += d * m;
    }
    reading.advance(client.tensors[t].bytes.size());
  }
  return sums;
}

double cosine_of(const Sums& sums) {
  const double lengths = std::sqrt(sums.own) * std::sqrt(sums.mean);
  return lengths > 0.0 ? std::clamp(sums.both / lengths, -1.0, 1.0) : 0.0;
}

}  // namespace

std::vector<ContributionChange> contribution_changes(std::span<const Contribution> contributions,
                                                     const Averaged& averaged, int workers) {
  const std::vector<Contribution> sorted = by_rank(contributions);
  const std::vector<double> shares = normalised_weights(sorted);
  require_same_layout(averaged.global, averaged.mean);
  std::vector<ContributionChange> changes(sorted.size());
  run_parallel({.count = sorted.size(), .workers = workers}, [&](std::size_t k) {
    require_same_layout(*sorted[k].tensors, averaged.mean);
    const Sums sums = sums_of(*sorted[k].tensors, averaged);
    changes[k] = {.rank = sorted[k].rank, .share = shares[k], .norm = std::sqrt(sums.own), .cosine = cosine_of(sums)};
  });
  return changes;
}

}  // namespace fedtune::aggregate
