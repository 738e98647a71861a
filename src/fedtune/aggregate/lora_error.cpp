#include "fedtune/aggregate/lora_error.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "fedtune/base/error.h"

namespace fedtune::aggregate {
namespace {

constexpr std::string_view a_suffix = ".lora_A.weight";
constexpr std::string_view b_suffix = ".lora_B.weight";

// One adapter of a layer.
struct Adapter {
  std::span<const float> a;  // [r, in]
  std::span<const float> b;  // [out, r]
};

struct Extents {
  std::size_t r = 0, in = 0, out = 0;
};

// <B_i A_i, B_j A_j> = sum over (s, t) of (B_i^T B_j)[s, t] (A_i A_j^T)[s, t].
double inner_product(const Adapter& left, const Adapter& right, const Extents& extents) {
  std::vector<double> gram_b(extents.r * extents.r, 0.0);  // [r, r]
  for (std::size_t row = 0; row < extents.out; ++row) {
    for (std::size_t s = 0; s < extents.r; ++s) {
      for (std::size_t t = 0; t < extents.r; ++t) {
        gram_b[s * extents.r + t] += double{left.b[row * extents.r + s]} * right.b[row * extents.r + t];
      }
    }
  }
  double sum = 0.0;
  for (std::size_t s = 0; s < extents.r; ++s) {
    for (std::size_t t = 0; t < extents.r; ++t) {
      double dot = 0.0;
      for (std::size_t i = 0; i < extents.in; ++i) {
        dot += double{left.a[s * extents.in + i]} * right.a[t * extents.in + i];
      }
      sum += gram_b[s * extents.r + t] * dot;
    }
  }
  return sum;
}

// ||M - sum p_k W_k|| / ||sum p_k W_k|| with M and W_k the products of the adapters.
double relative_error(const Adapter& mean, std::span<const Adapter> clients, std::span<const double> shares,
                      const Extents& extents) {
  double exact = 0.0, cross = 0.0;
  for (std::size_t k = 0; k < clients.size(); ++k) {
    cross += shares[k] * inner_product(mean, clients[k], extents);
    for (std::size_t l = k; l < clients.size(); ++l) {
      exact += (k == l ? 1.0 : 2.0) * shares[k] * shares[l] * inner_product(clients[k], clients[l], extents);
    }
  }
  const double difference = inner_product(mean, mean, extents) - 2.0 * cross + exact;
  return exact > 0.0 ? std::sqrt(std::max(difference, 0.0) / exact) : 0.0;
}

Extents extents_of(const TensorView& a, const TensorView* b) {
  if (b == nullptr || a.shape.size() != 2 || b->shape.size() != 2 || a.shape[0] != b->shape[1]) {
    throw failed("averaging error: '{}' {} has no lora_B that fits", a.name, shape_text(a.shape));
  }
  return {.r = static_cast<std::size_t>(a.shape[0]),
          .in = static_cast<std::size_t>(a.shape[1]),
          .out = static_cast<std::size_t>(b->shape[0])};
}

}  // namespace

std::vector<LoraError> lora_averaging_errors(std::span<const Contribution> contributions) {
  const std::vector<Contribution> sorted = by_rank(contributions);
  const std::vector<double> shares = normalised_weights(sorted);
  const NamedTensors mean = weighted_mean(sorted);
  std::vector<LoraError> errors;
  for (const TensorView& a : mean.tensors) {
    if (!a.name.ends_with(a_suffix)) continue;
    const std::string layer = a.name.substr(0, a.name.size() - a_suffix.size());
    const std::string b_name = fmt::format("{}{}", layer, b_suffix);
    const TensorView* b = mean.find(b_name);
    const Extents extents = extents_of(a, b);

    std::vector<Adapter> clients;
    for (const Contribution& contribution : sorted) {
      const NamedTensors& tensors = *contribution.tensors;
      clients.push_back({.a = tensors.find(a.name)->f32(), .b = tensors.find(b_name)->f32()});
    }
    errors.push_back({layer, relative_error({.a = a.f32(), .b = b->f32()}, clients, shares, extents)});
  }
  return errors;
}

}  // namespace fedtune::aggregate
