// NumPy's .npy: one array, as Flower's wire carries it (NEP 1, versions 1.0 to 3.0).
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "fedtune/format/named_tensors.h"

namespace fedtune {

// Bytes of the header, without magic, version and length, of an array without fields; NumPy's own limit when reading.
inline constexpr std::size_t longest_npy_header = 10'000;

// Version 1.0, little-endian, C order; the values start at a multiple of 64. Throws Error(failed) for bf16, which NumPy
// has not.
std::string npy_from(const TensorView& tensor);

// The array in `bytes`, which it views; its name is empty. Throws Error(input) for what is no .npy of a type of DType
// in C order and little-endian, or has not exactly the bytes its shape asks for.
TensorView npy_view(std::span<const std::byte> bytes);

}  // namespace fedtune
