#include "fedtune/format/json_file.h"

#include <limits>
#include <type_traits>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/nearest.h"

namespace fedtune {
namespace {

using nlohmann::json;

constexpr int max_depth = 64;

// Refuses what the parser would let pass: keys that occur twice, and deep nesting.
class StrictCallback {
 public:
  explicit StrictCallback(const std::string& source) : source_(source) {}

  bool operator()(int depth, json::parse_event_t event, json& parsed) {
    if (depth > max_depth) {
      throw input_error("{}: nested more than {} levels deep; check that it is the right file", source_, max_depth);
    }
    if (event == json::parse_event_t::object_start) {
      keys_.emplace_back();
    } else if (event == json::parse_event_t::object_end) {
      keys_.pop_back();
    } else if (event == json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys_.back().insert(key).second) {
        throw input_error("{}: key '{}' occurs twice in one object; remove one", source_, key);
      }
    }
    return true;
  }

 private:
  const std::string& source_;
  std::vector<std::unordered_set<std::string>> keys_;
};

// "[json.exception.parse_error.101] parse error at line 1, ..." without the part in brackets.
std::string plain(const char* what) {
  const std::string_view text(what);
  const std::size_t end = text.find("] ");
  return std::string(end == std::string_view::npos ? text : text.substr(end + 2));
}

std::string found_text(const json& value) {
  constexpr std::size_t longest = 60;
  std::string dump = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (dump.size() > longest) dump = dump.substr(0, longest) + "...";
  return fmt::format("{} {}", value.type_name(), dump);
}

template <typename T>
struct Type;

template <>
struct Type<json> {
  static std::string expected() { return "a value"; }
  static std::optional<json> read(const json& value) { return value; }
};

template <>
struct Type<bool> {
  static std::string expected() { return "true or false"; }
  static std::optional<bool> read(const json& value) {
    return value.is_boolean() ? std::optional(value.get<bool>()) : std::nullopt;
  }
};

template <>
struct Type<std::string> {
  static std::string expected() { return "a string"; }
  static std::optional<std::string> read(const json& value) {
    return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
  }
};

template <>
struct Type<double> {
  static std::string expected() { return "a number"; }
  static std::optional<double> read(const json& value) {
    return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
  }
};

template <std::integral T>
struct Type<T> {
  static std::string expected() {
    return fmt::format("an integer from {} to {}", std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
  }
  static std::optional<T> read(const json& value) {
    if (value.is_number_unsigned()) return in_range(value.get<std::uint64_t>());
    if (value.is_number_integer()) return in_range(value.get<std::int64_t>());
    return std::nullopt;
  }
  template <std::integral Wide>
  static std::optional<T> in_range(Wide wide) {
    return std::in_range<T>(wide) ? std::optional(static_cast<T>(wide)) : std::nullopt;
  }
};

template <typename T>
struct Type<std::vector<T>> {
  static std::string expected() { return "a list, each entry " + Type<T>::expected(); }
  static std::optional<std::vector<T>> read(const json& value) {
    if (!value.is_array()) return std::nullopt;
    std::vector<T> entries;
    for (const json& entry : value) {
      auto read = Type<T>::read(entry);
      if (!read) return std::nullopt;
      entries.push_back(std::move(*read));
    }
    return entries;
  }
};

// The key's value; nullptr when it is missing or null.
const json* find(const json& object, std::string_view key, const std::string& context) {
  if (!object.is_object()) throw input_error("{}: found {}, expected an object", context, found_text(object));
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

template <typename T>
T read_as(const json& value, std::string_view key, const std::string& context) {
  auto read = Type<T>::read(value);
  if (read) return std::move(*read);
  throw input_error("{}: key '{}': found {}, expected {}", context, key, found_text(value), Type<T>::expected());
}

std::string suggestion(const json& object, std::string_view key) {
  std::vector<std::string> names;
  for (const auto& item : object.items()) names.push_back(item.key());
  const std::string near = nearest_name(key, names);
  return near.empty() || near == key ? "" : fmt::format("; is '{}' meant to be it?", near);
}

}  // namespace

json parse_json(std::string_view text, const std::string& source) {
  try {
    return json::parse(text.begin(), text.end(), StrictCallback(source));
  } catch (const json::exception& error) {
    throw input_error("{}: not valid JSON: {}", source, plain(error.what()));
  }
}

json load_json(const std::filesystem::path& path) {
  return parse_json(read_file(path), path.string());
}

template <typename T>
T required(const json& object, std::string_view key, const std::string& context) {
  if (const json* value = find(object, key, context)) return read_as<T>(*value, key, context);
  throw input_error("{}: key '{}' is {}, expected {}{}", context, key, object.contains(key) ? "null" : "missing",
                    Type<T>::expected(), suggestion(object, key));
}

template <typename T>
T optional_or(const json& object, std::string_view key, T fallback, const std::string& context) {
  const json* value = find(object, key, context);
  if (value == nullptr) return fallback;
  return read_as<T>(*value, key, context);
}

#define FEDTUNE_JSON_TYPE(T)                                                 \
  template T required<T>(const json&, std::string_view, const std::string&); \
  template T optional_or<T>(const json&, std::string_view, T, const std::string&)

FEDTUNE_JSON_TYPE(bool);
FEDTUNE_JSON_TYPE(int);
FEDTUNE_JSON_TYPE(std::int64_t);
FEDTUNE_JSON_TYPE(std::uint64_t);
FEDTUNE_JSON_TYPE(double);
FEDTUNE_JSON_TYPE(std::string);
FEDTUNE_JSON_TYPE(json);
FEDTUNE_JSON_TYPE(std::vector<int>);
FEDTUNE_JSON_TYPE(std::vector<std::int64_t>);
FEDTUNE_JSON_TYPE(std::vector<std::uint64_t>);
FEDTUNE_JSON_TYPE(std::vector<double>);
FEDTUNE_JSON_TYPE(std::vector<std::string>);
FEDTUNE_JSON_TYPE(std::vector<json>);

#undef FEDTUNE_JSON_TYPE

}  // namespace fedtune
