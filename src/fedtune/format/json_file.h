// JSON read strictly: every error names file, key, found and expected.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace fedtune {

// Parses a whole text: UTF-8, no comments, no duplicate keys, at most 64 levels deep, no array that takes more than
// twice the text and 64 MB. Throws Error(input) with line and column; `source` names it in messages.
nlohmann::json parse_json(std::string_view text, const std::string& source);
nlohmann::json load_json(const std::filesystem::path& path);

// The value of a key, of the type asked for: bool, int, int64, uint64, double (an integer will do), string, json
// (anything) or a vector of those. `context` is the file's name. Throws Error(input) when it is missing, null, of
// another type or out of range.
template <typename T>
T required(const nlohmann::json& object, std::string_view key, const std::string& context);

// The same, with a default where the key is missing or null.
template <typename T>
T optional_or(const nlohmann::json& object, std::string_view key, T fallback, const std::string& context);

}  // namespace fedtune
