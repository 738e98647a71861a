#include "fedtune/aggregate/contribution_change.h"

#include <algorithm>
#include <cmath>

#include "fedtune/aggregate/lane_sum.h"
#include "fedtune/base/error.h"
#include "fedtune/base/parallel.h"

namespace fedtune::aggregate {
namespace {

struct Sums {
  double own = 0.0, both = 0.0;  // <d, d>, <d, m> for the changes d of some tensors and m of the mean
};

void require_same_layout(const NamedTensors& tensors, const NamedTensors& expected) {
  if (layout_of(tensors) != layout_of(expected)) {
    throw failed("measuring contributions: the tensors of a client and of the round differ in layout");
  }
}

Sums sums_of(const NamedTensors& tensors, const Averaged& averaged) {
  Sums sums;
  ReadOnce reading(tensors);
  for (std::size_t t = 0; t < tensors.tensors.size(); ++t) {
    const std::span<const float> values = tensors.tensors[t].f32();
    const std::span<const float> global = averaged.global.tensors[t].f32();
    const std::span<const float> averages = averaged.mean.tensors[t].f32();
    LaneSum own, both;
    for_each_piece(values.size(), [&](std::size_t begin, std::size_t count) {
      const float* const now = values.data() + begin;
      const float* const then = global.data() + begin;
      const float* const mean = averages.data() + begin;
      add_angle(count, now, then, mean, own, both);
      reading.advance(count * sizeof(float));
    });
    sums.own += own.total();
    sums.both += both.total();
  }
  return sums;
}

}  // namespace

std::vector<ContributionChange> contribution_changes(std::span<const Contribution> contributions,
                                                     const Averaged& averaged, int workers) {
  const std::vector<Contribution> sorted = by_rank(contributions);
  const std::vector<double> shares = normalised_weights(sorted);
  require_same_layout(averaged.global, averaged.mean);
  const double length_of_mean = std::sqrt(sums_of(averaged.mean, averaged).own);
  std::vector<ContributionChange> changes(sorted.size());
  run_parallel({.count = sorted.size(), .workers = workers}, [&](std::size_t k) {
    require_same_layout(*sorted[k].tensors, averaged.mean);
    const Sums sums = sums_of(*sorted[k].tensors, averaged);
    const double norm = std::sqrt(sums.own);
    const double lengths = norm * length_of_mean;
    const double cosine = lengths > 0.0 ? std::clamp(sums.both / lengths, -1.0, 1.0) : 0.0;
    changes[k] = {.rank = sorted[k].rank, .share = shares[k], .norm = norm, .cosine = cosine};
  });
  return changes;
}

}  // namespace fedtune::aggregate
