#include "fedtune/aggregate/weighted_mean.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "fedtune/base/error.h"
#include "fedtune/base/parallel.h"

namespace fedtune::aggregate {
namespace {

// Doubles summed at once: they stay in the second-level cache while one contribution after the other is added.
constexpr std::size_t block_size = 65536;

void check_layouts(std::span<const Contribution> contributions) {
  const auto& first = contributions.front().tensors->tensors;
  for (const Contribution& contribution : contributions) {
    const auto& tensors = contribution.tensors->tensors;
    bool same = tensors.size() == first.size();
    for (std::size_t i = 0; same && i < tensors.size(); ++i) {
      same = tensors[i].name == first[i].name && tensors[i].dtype == DType::f32 && tensors[i].shape == first[i].shape &&
             tensors[i].bytes.size() == first[i].bytes.size();
    }
    if (!same) throw failed("weighted mean: the tensors of rank {} are not laid out as the others'", contribution.rank);
  }
}

// Where a part of the mean belongs.
struct Block {
  std::size_t tensor, begin;
  std::span<float> result;
};

void average(std::span<const Contribution> contributions, std::span<const double> shares, const Block& block) {
  const std::size_t count = block.result.size();
  std::vector<double> sums(count);
  for (std::size_t k = 0; k < contributions.size(); ++k) {
    const NamedTensors& tensors = *contributions[k].tensors;
    const std::span<const float> values = tensors.tensors[block.tensor].f32().subspan(block.begin, count);
    for (std::size_t i = 0; i < count; ++i) sums[i] += shares[k] * static_cast<double>(values[i]);
    tensors.release_pages(std::as_bytes(values));  // a megabyte of each would be a gigabyte of many
  }
  for (std::size_t i = 0; i < count; ++i) block.result[i] = static_cast<float>(sums[i]);
}

}  // namespace

std::vector<Contribution> by_rank(std::span<const Contribution> contributions) {
  if (contributions.empty()) throw failed("weighted mean: there is no contribution");
  std::vector<Contribution> sorted(contributions.begin(), contributions.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.rank < b.rank; });
  for (std::size_t k = 0; k < sorted.size(); ++k) {
    if (!std::isfinite(sorted[k].weight) || sorted[k].weight <= 0.0) {
      throw failed("weighted mean: rank {} has the weight {}, expected one above 0", sorted[k].rank, sorted[k].weight);
    }
    if (k > 0 && sorted[k].rank == sorted[k - 1].rank) {
      throw failed("weighted mean: rank {} contributes twice", sorted[k].rank);
    }
  }
  return sorted;
}

std::vector<double> normalised_weights(std::span<const Contribution> sorted) {
  double total = 0.0;
  for (const Contribution& contribution : sorted) total += contribution.weight;
  std::vector<double> shares;
  for (const Contribution& contribution : sorted) shares.push_back(contribution.weight / total);
  return shares;
}

NamedTensors weighted_mean(std::span<const Contribution> contributions, int workers) {
  const std::vector<Contribution> sorted = by_rank(contributions);
  check_layouts(sorted);
  const std::vector<double> shares = normalised_weights(sorted);

  const NamedTensors& first = *sorted.front().tensors;
  auto values = std::make_shared<std::vector<float>>(first.total_bytes() / sizeof(float));
  NamedTensors mean{.tensors = first.tensors, .owner = values, .mapped = false};
  std::span<float> rest(*values);
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < mean.tensors.size(); ++i) {
    TensorView& tensor = mean.tensors[i];
    const std::span<float> result = rest.first(tensor.bytes.size() / sizeof(float));
    rest = rest.subspan(result.size());
    for (std::size_t begin = 0; begin < result.size(); begin += block_size) {
      const std::size_t count = std::min(block_size, result.size() - begin);
      blocks.push_back({.tensor = i, .begin = begin, .result = result.subspan(begin, count)});
    }
    tensor.bytes = std::as_bytes(result);
  }
  run_parallel({.count = blocks.size(), .workers = workers},
               [&](std::size_t i) { average(sorted, shares, blocks[i]); });
  return mean;
}

}  // namespace fedtune::aggregate
