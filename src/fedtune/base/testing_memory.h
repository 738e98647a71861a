// For tests: what of a file the process has in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

#include <fmt/format.h>

namespace fedtune {

// Of the mapping that begins here; -1 where there is none.
inline std::int64_t resident_kb(const std::byte* mapping) {
  std::ifstream maps("/proc/self/smaps");
  const std::string begin = fmt::format("{:x}-", reinterpret_cast<std::uintptr_t>(mapping));
  bool found = false;
  for (std::string line; std::getline(maps, line);) {
    found = found || line.starts_with(begin);
    std::int64_t kilobytes = 0;
    // NOLINTNEXTLINE(cert-err34-c): one number or nothing
    if (found && std::sscanf(line.c_str(), "Rss: %ld kB", &kilobytes) == 1) return kilobytes;
  }
  return -1;
}

}  // namespace fedtune
