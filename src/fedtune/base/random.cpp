#include "fedtune/base/random.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace fedtune {
namespace {

// The finaliser of SplitMix64 (Steele et al. 2014): a bijection that spreads every input bit.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

}  // namespace

PhiloxKey philox_key(const StreamKey& place) {
  const auto pair = [](std::uint32_t high, std::uint32_t low) { return (std::uint64_t{high} << 32) | low; };
  std::uint64_t hash = mix(place.seed);
  hash = mix(hash ^ pair(static_cast<std::uint32_t>(place.purpose), static_cast<std::uint32_t>(place.role)));
  hash = mix(hash ^ pair(place.round, place.rank));
  hash = mix(hash ^ pair(place.step, place.site));
  return {static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32)};
}

PhiloxBlock philox(PhiloxKey key, PhiloxBlock counter) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

std::uint32_t RandomStream::bits() {
  if (used_ == 4) {
    block_ =
        philox(key_, {static_cast<std::uint32_t>(next_block_), static_cast<std::uint32_t>(next_block_ >> 32), 0, 0});
    ++next_block_;
    used_ = 0;
  }
  return block_[static_cast<std::size_t>(used_++)];
}

double RandomStream::uniform() {
  return static_cast<double>(bits() >> 8) * 0x1p-24;
}

std::uint32_t RandomStream::below(std::uint32_t bound) {
  // Values at or above the largest multiple of bound are drawn again.
  const std::uint64_t limit = (std::uint64_t{1} << 32) / bound * bound;
  std::uint64_t value = bits();
  while (value >= limit) value = bits();
  return static_cast<std::uint32_t>(value % bound);
}

double RandomStream::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

double RandomStream::gamma(double shape) {
  if (shape < 1.0) {
    const double boost = std::pow(1.0 - uniform(), 1.0 / shape);
    return gamma(shape + 1.0) * boost;
  }
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = normal();
    const double v = std::pow(1.0 + c * x, 3);
    if (v <= 0.0) continue;
    const double u = 1.0 - uniform();
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

std::vector<std::uint32_t> RandomStream::permutation(std::uint32_t count) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  for (std::uint32_t i = count; i > 1; --i) std::swap(order[i - 1], order[below(i)]);
  return order;
}

}  // namespace fedtune
