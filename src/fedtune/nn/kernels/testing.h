// For tests: numbers to multiply.
#pragma once

#include <cstdint>
#include <vector>

namespace fedtune::nn::kernels {

// Between -0.4 and 0.6, without an order; the same again after `modulus` of them, which is a prime.
inline std::vector<float> ramp(std::int64_t count, std::uint64_t modulus) {
  std::vector<float> x(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = (static_cast<float>(i * 7919 % modulus) / static_cast<float>(modulus)) - 0.4f;
  return x;
}

}  // namespace fedtune::nn::kernels
