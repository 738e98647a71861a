// For tests: what Linux keeps of a mapping of this process.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

namespace fedtune {

// What /proc/self/smaps has behind a field's name ("Rss:"), of the mapping in which the address lies; empty where there
// is none.
inline std::string field_of_mapping(std::uintptr_t address, std::string_view field) {
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    char* after = nullptr;
    const std::uintptr_t first = std::strtoull(line.c_str(), &after, 16);
    if (after != line.c_str() && *after == '-')
      inside = address >= first && address < std::strtoull(after + 1, nullptr, 16);
    if (inside && line.starts_with(field)) return line.substr(field.size());
  }
  return {};
}

// How much of it is in memory; -1 where there is none.
inline std::int64_t resident_kb(const void* address) {
  const std::string field = field_of_mapping(reinterpret_cast<std::uintptr_t>(address), "Rss:");
  return field.empty() ? -1 : std::strtoll(field.c_str(), nullptr, 10);
}

}  // namespace fedtune
