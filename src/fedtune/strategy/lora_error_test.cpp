#include "fedtune/strategy/lora_error.h"

#include <cmath>

#include <gtest/gtest.h>

#include "fedtune/aggregate/test_tensors.h"
#include "fedtune/base/error.h"
#include "fedtune/base/random.h"

namespace fedtune::strategy {
namespace {

using aggregate::Contribution;
using aggregate::weighted_mean;

constexpr std::size_t r = 3, in = 5, out = 4;

std::vector<float> normals(std::size_t count, std::uint32_t rank) {
  RandomStream stream({.seed = 11, .rank = rank});
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(stream.normal());
  return values;
}

NamedTensors adapter(const std::vector<float>& a, const std::vector<float>& b) {
  return test_tensors({{"layer.q.lora_A.weight", {r, in}, a},
                       {"layer.q.lora_B.weight", {out, r}, b},
                       {"classifier.weight", {1}, {0.5f}}});
}

// B A, [out, in], formed outright.
std::vector<double> product(const NamedTensors& adapter) {
  const auto a = adapter.find("layer.q.lora_A.weight")->f32(), b = adapter.find("layer.q.lora_B.weight")->f32();
  std::vector<double> result(out * in, 0.0);
  for (std::size_t o = 0; o < out; ++o) {
    for (std::size_t i = 0; i < in; ++i) {
      for (std::size_t s = 0; s < r; ++s) result[o * in + i] += double{b[o * r + s]} * a[s * in + i];
    }
  }
  return result;
}

std::vector<LoraError> errors_of(const std::vector<Contribution>& contributions) {
  return lora_averaging_errors(contributions, weighted_mean(contributions));
}

double norm(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value * value;
  return std::sqrt(sum);
}

TEST(LoraAveragingError, EqualsTheDefinitionWithTheMatricesFormed) {
  const NamedTensors one = adapter(normals(r * in, 1), normals(out * r, 2));
  const NamedTensors two = adapter(normals(r * in, 3), normals(out * r, 4));
  const std::vector<Contribution> contributions{{1, 1.0, &one}, {2, 3.0, &two}};
  const NamedTensors mean = weighted_mean(contributions);
  const auto errors = lora_averaging_errors(contributions, mean);
  std::vector<double> exact(out * in), difference(out * in);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    exact[i] = 0.25 * product(one)[i] + 0.75 * product(two)[i];
    difference[i] = product(mean)[i] - exact[i];
  }
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].layer, "layer.q");
  EXPECT_GT(errors[0].relative, 0.1);
  EXPECT_NEAR(errors[0].relative, norm(difference) / norm(exact), 1e-6);
}

TEST(LoraAveragingError, AddsMoreClientsThanAreMultipliedAtOnce) {
  std::vector<NamedTensors> adapters;
  for (std::uint32_t k = 0; k < 400; ++k)
    adapters.push_back(adapter(normals(r * in, 2 * k), normals(out * r, 2 * k + 1)));
  std::vector<Contribution> contributions;
  for (std::size_t k = 0; k < adapters.size(); ++k) {
    contributions.push_back({static_cast<int>(k) + 1, 1.0, &adapters[k]});
  }
  const NamedTensors mean = weighted_mean(contributions);
  std::vector<double> exact(out * in, 0.0);
  for (const NamedTensors& one : adapters) {
    const std::vector<double> own = product(one);
    for (std::size_t i = 0; i < exact.size(); ++i) exact[i] += own[i] / 400.0;
  }
  std::vector<double> difference = product(mean);
  for (std::size_t i = 0; i < exact.size(); ++i) difference[i] -= exact[i];
  EXPECT_NEAR(lora_averaging_errors(contributions, mean).at(0).relative, norm(difference) / norm(exact), 1e-5);
}

TEST(LoraAveragingError, VanishesWhereAllShareTheSameA) {
  const std::vector<float> a = normals(r * in, 1);
  const NamedTensors one = adapter(a, normals(out * r, 2)), two = adapter(a, normals(out * r, 3));
  const auto errors = errors_of({{1, 1.0, &one}, {2, 2.0, &two}});
  EXPECT_NEAR(errors.at(0).relative, 0.0, 1e-6);
}

TEST(LoraAveragingError, IsZeroWhereEveryProductIs) {
  const std::vector<float> zeros(out * r, 0.0f);
  const NamedTensors one = adapter(normals(r * in, 1), zeros), two = adapter(normals(r * in, 2), zeros);
  EXPECT_EQ(errors_of({{1, 1.0, &one}, {2, 2.0, &two}}).at(0).relative, 0.0);
}

TEST(LoraAveragingError, RefusesAnAWithoutItsB) {
  const NamedTensors half = test_tensors({{"q.lora_A.weight", {1, 2}, {1, 2}}});
  EXPECT_THROW(errors_of({{1, 1.0, &half}}), Error);
}

}  // namespace
}  // namespace fedtune::strategy
