// The JSON header of a safetensors file, read without trust.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fedtune/format/named_tensors.h"
#include "fedtune/format/safetensors.h"

namespace fedtune {

// Bounds that no real file comes near; they keep what a hostile header makes us allocate below twice its size plus 64
// MB.
struct SafetensorsLimits {
  static constexpr std::uint64_t header_bytes = 100'000'000;
  static constexpr std::size_t tensors = 100'000;
  static constexpr std::size_t dimensions = 8;
  static constexpr std::size_t metadata_entries = 10'000;
  static constexpr std::size_t token_bytes = 8 << 20;  // one string or number
};

struct HeaderEntry {
  TensorSpec spec;
  std::uint64_t begin = 0;  // within the data that follows the header
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<HeaderEntry> entries;  // as written
  Metadata metadata;
};

// Reads the JSON and checks its form: keys, types, limits. What the offsets mean is not looked at. Throws Error(input)
// naming `source` and the tensor.
SafetensorsHeader parse_safetensors_header(std::string_view text, const std::string& source);

}  // namespace fedtune
