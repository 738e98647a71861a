#include "fedtune/models/config_reader.h"

#include <utility>

#include "fedtune/base/error.h"
#include "fedtune/format/json_file.h"

namespace fedtune::models {
namespace {

constexpr std::int64_t largest_size = 1 << 24;
constexpr std::int64_t most_labels =
    1 << 16;  // as many as data sets may have: every class gets a name when it is saved

}  // namespace

ConfigReader::ConfigReader(const nlohmann::json& json, std::string file) : json_(json), file_(std::move(file)) {
  if (!json_.is_object()) throw input_error("{}: expected a JSON object of model settings", file_);
}

bool ConfigReader::has(std::string_view key) const {
  const auto found = json_.find(std::string(key));
  return found != json_.end() && !found->is_null();
}

std::string ConfigReader::text(std::string_view key) const {
  return required<std::string>(json_, key, file_);
}

std::int64_t ConfigReader::size(std::string_view key) const {
  const auto value = required<std::int64_t>(json_, key, file_);
  if (value < 1 || value > largest_size) refuse(key, "a whole number from 1 to 2^24");
  return value;
}

std::int64_t ConfigReader::count_or(std::string_view key, std::int64_t fallback) const {
  const auto value = optional_or<std::int64_t>(json_, key, fallback, file_);
  if (value < 0 || value > largest_size) refuse(key, "a whole number from 0 to 2^24");
  return value;
}

double ConfigReader::probability_or(std::string_view key, double fallback) const {
  const auto value = optional_or<double>(json_, key, fallback, file_);
  if (!(value >= 0.0 && value < 1.0)) refuse(key, "a number in [0, 1)");
  return value;
}

double ConfigReader::positive_or(std::string_view key, double fallback) const {
  const auto value = optional_or<double>(json_, key, fallback, file_);
  if (!(value > 0.0)) refuse(key, "a number above 0");
  return value;
}

void ConfigReader::require_text(std::string_view key, std::string_view only) const {
  if (optional_or<std::string>(json_, key, std::string(only), file_) != only) {
    refuse(key, fmt::format("\"{}\", the only one supported", only));
  }
}

void ConfigReader::require_false(std::string_view key) const {
  if (optional_or<bool>(json_, key, false, file_)) refuse(key, "false, the only one supported");
}

std::int64_t ConfigReader::num_labels() const {
  if (!has("id2label")) {
    const std::int64_t count = has("num_labels") ? size("num_labels") : 2;
    if (count > most_labels) refuse("num_labels", "a whole number from 1 to 2^16");
    return count;
  }
  const auto names = required<nlohmann::json>(json_, "id2label", file_);
  if (!names.is_object() || names.empty() || names.size() > most_labels) {
    refuse("id2label", "an object with a name for each class, of which there are at most 2^16");
  }
  return static_cast<std::int64_t>(names.size());
}

void ConfigReader::refuse(std::string_view key, std::string_view expected) const {
  throw input_error("{}: {} is {}, expected {}", file_, key, json_.at(std::string(key)).dump(), expected);
}

}  // namespace fedtune::models
