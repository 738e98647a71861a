// Typed access to a config.json whose every complaint names file, key, found and expected.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace fedtune::models {

// Every function throws Error(input) for a value of another type or out of range; absent and null are the same.
class ConfigReader {
 public:
  // `json` must outlive the reader. Throws Error(input) where it is no object.
  ConfigReader(const nlohmann::json& json, std::string file);

  std::string text(std::string_view key) const;                              // required
  std::int64_t size(std::string_view key) const;                             // required, 1 .. 2^24
  std::int64_t count_or(std::string_view key, std::int64_t fallback) const;  // 0 .. 2^24
  double probability_or(std::string_view key, double fallback) const;        // [0, 1)
  double positive_or(std::string_view key, double fallback) const;           // above 0
  void require_text(std::string_view key, std::string_view only) const;      // `only` or absent
  void require_false(std::string_view key) const;                            // false or absent
  // The number of names in id2label, or num_labels, or 2.
  std::int64_t num_labels() const;

  const std::string& file() const { return file_; }

 private:
  bool has(std::string_view key) const;
  [[noreturn]] void refuse(std::string_view key, std::string_view expected) const;

  const nlohmann::json& json_;
  std::string file_;
};

}  // namespace fedtune::models
