#include "fedtune/aggregate/weighted_mean.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "fedtune/aggregate/lane_loops.h"
#include "fedtune/base/error.h"
#include "fedtune/base/parallel.h"

namespace fedtune::aggregate {
namespace {

// Doubles summed at once. They stay near the processor while one contribution after the other is added; and the fewer
// the blocks, the less often a contribution's pages are mapped and let go, of which every core is told.
constexpr std::size_t block_size = 131072;

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

struct Part {
  std::size_t tensor, begin, count;
};

// A part of the mean: of one tensor, or of several that are small.
struct Block {
  std::span<float> result;
  std::vector<Part> parts{};  // where it lies in each contribution
};

std::vector<Block> blocks_of(std::span<float> mean, const std::vector<TensorView>& tensors) {
  std::vector<Block> blocks;
  for (std::size_t begin = 0; begin < mean.size(); begin += block_size) {
    blocks.push_back({.result = mean.subspan(begin, std::min(block_size, mean.size() - begin))});
  }
  std::size_t before = 0;  // values of all tensors so far
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const std::size_t size = tensors[t].bytes.size() / sizeof(float);
    for (std::size_t begin = 0; begin < size;) {
      const std::size_t count = std::min(size - begin, block_size - before % block_size);
      blocks[before / block_size].parts.push_back({.tensor = t, .begin = begin, .count = count});
      begin += count;
      before += count;
    }
  }
  return blocks;
}

void average(std::span<const Contribution> contributions, std::span<const double> shares, const Block& block) {
  std::vector<double> sums(block.result.size());
  for (std::size_t k = 0; k < contributions.size(); ++k) {
    const NamedTensors& tensors = *contributions[k].tensors;
    double* sum = sums.data();
    for (const Part& part : block.parts) {
      const std::span<const float> values = tensors.tensors[part.tensor].f32().subspan(part.begin, part.count);
      lane_loops().add_scaled(values.size(), values.data(), shares[k], sum);
      sum += values.size();
    }
    tensors.release_pages();  // a megabyte of each would be a gigabyte of many
  }
  for (std::size_t i = 0; i < sums.size(); ++i) block.result[i] = static_cast<float>(sums[i]);
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
  for (TensorView& tensor : mean.tensors) {
    const std::span<float> result = rest.first(tensor.bytes.size() / sizeof(float));
    rest = rest.subspan(result.size());
    tensor.bytes = std::as_bytes(result);
  }
  const std::vector<Block> blocks = blocks_of(*values, mean.tensors);
  run_parallel({.count = blocks.size(), .workers = workers},
               [&](std::size_t i) { average(sorted, shares, blocks[i]); });
  return mean;
}

}  // namespace fedtune::aggregate
