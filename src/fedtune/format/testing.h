// For tests: files of safetensors, whole and damaged.
#pragma once

#include <cstdint>
#include <string>

namespace fedtune {

// What comes first in a file: the length of the header, whatever `rest` then holds.
inline std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string text;
  for (int i = 0; i < 8; ++i) text += static_cast<char>((length >> (8 * i)) & 0xff);
  return text + rest;
}

// A file of this header and this many bytes of data.
inline std::string file_of(const std::string& header, std::size_t data_bytes) {
  return with_length(header.size(), header + std::string(data_bytes, '\0'));
}

}  // namespace fedtune
