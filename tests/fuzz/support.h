// What the fuzz targets share. A target calls a parser of production with the input: an Error is how it refuses;
// anything else that is thrown, a report of the sanitizers, or a promise that does not hold is a finding.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fedtune/base/error.h"
#include "fedtune/base/temporary_folder.h"

// Begins a target: libFuzzer's entry, or, in the test program that has all targets, a function of the target's name.
#ifdef FEDTUNE_FUZZ
#define FEDTUNE_FUZZ_TARGET(name) extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
#else
#define FEDTUNE_FUZZ_TARGET(name) int fuzz_##name(const std::uint8_t* data, std::size_t size)
#endif

namespace fedtune::fuzz {

// Ends the program where a promise does not hold.
inline void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "finding: not so: %s\n", promise);
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// What `parse` returns; empty where it refuses.
template <typename Parse>
auto accepted(Parse&& parse) -> std::optional<decltype(parse())> {
  try {
    return std::forward<Parse>(parse)();
  } catch (const Error&) {
    return std::nullopt;
  }
}

// An input of several parts: each begins with a line "--- NAME".
struct Part {
  std::string_view name;
  std::string_view content;
};
inline std::vector<Part> parts_of(std::string_view input) {
  constexpr std::string_view mark = "--- ";
  std::vector<Part> parts;
  while (input.starts_with(mark)) {
    const std::size_t end_of_name = std::min(input.find('\n'), input.size());
    const std::size_t next = std::min(input.find("\n--- ", end_of_name), input.size());
    const std::size_t begin = std::min(end_of_name + 1, next);
    parts.push_back(
        {.name = input.substr(mark.size(), end_of_name - mark.size()), .content = input.substr(begin, next - begin)});
    input.remove_prefix(std::min(next + 1, input.size()));
  }
  return parts;
}

// A folder for what production reads from files; emptied by each input that uses it.
class Scratch {
 public:
  const std::filesystem::path& folder() const { return folder_.path(); }

  // Not write_file_atomically: nothing here has to survive a crash, and it would wait for the disk.
  std::filesystem::path write(const std::string& name, std::string_view content) const {
    const std::filesystem::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  void clear() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder())) std::filesystem::remove_all(entry.path());
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace fedtune::fuzz
