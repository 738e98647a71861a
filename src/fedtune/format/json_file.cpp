#include "fedtune/format/json_file.h"

#include <limits>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/nearest.h"

namespace fedtune {
namespace {

using nlohmann::json;

constexpr std::size_t max_depth = 64;

// An entry of an array takes 16 bytes, twice that while it grows, and may be two in the text: with so many at most an
// array is within twice the text and 64 MB. A vocabulary of a million is far below.
std::size_t most_entries(std::size_t text_bytes) {
  return text_bytes / 16 + (std::size_t{64} << 20U) / 32;
}

// "[json.exception.parse_error.101] parse error at line 1, ..." without the part in brackets.
std::string plain(const char* what) {
  const std::string_view text(what);
  const std::size_t end = text.find("] ");
  return std::string(end == std::string_view::npos ? text : text.substr(end + 2));
}

// Builds the value, and refuses what the parser would let pass: keys that occur twice, deep nesting, and arrays out of
// proportion. The library's own builder with a callback looks through an array again at the end of each of its objects.
class StrictBuilder final : public nlohmann::json_sax<json> {
 public:
  StrictBuilder(const std::string& source, std::size_t text_bytes)
      : source_(source), most_entries_(most_entries(text_bytes)) {}

  json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(std::int64_t value) override { return add(value); }
  bool number_unsigned(std::uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string&) override { return add(value); }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(json::binary_t&) override { return false; }  // JSON has none
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    auto& members = open_.back()->get_ref<json::object_t&>();
    const auto [member, is_new] = members.try_emplace(name);
    if (!is_new) throw input_error("{}: key '{}' occurs twice in one object; remove one", source_, name);
    member_ = &member->second;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const json::exception& error) override {
    throw input_error("{}: not valid JSON: {}", source_, plain(error.what()));
  }

 private:
  // The next value, at its place: the whole, an entry of the array or the member of the object that is open.
  json& place(json value) {
    json* at = &root_;
    if (!open_.empty() && open_.back()->is_array()) {
      auto& entries = open_.back()->get_ref<json::array_t&>();
      if (entries.size() == most_entries_) {
        throw input_error("{}: more than {} entries in one list of so short a text; check that it is the right file",
                          source_, most_entries_);
      }
      at = &entries.emplace_back();
    } else if (!open_.empty()) {
      at = member_;
    }
    return *at = std::move(value);
  }
  bool add(json value) {
    place(std::move(value));
    return true;
  }
  bool open(json value) {
    if (open_.size() == max_depth) {
      throw input_error("{}: nested more than {} levels deep; check that it is the right file", source_, max_depth);
    }
    open_.push_back(&place(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  const std::string& source_;
  const std::size_t most_entries_;
  json root_;
  std::vector<json*> open_;  // objects and arrays, the innermost last
  json* member_ = nullptr;   // of the innermost, an object: what its last key names
};

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
  constexpr std::size_t most = 1000;  // more keys than that are names of something else
  if (object.size() > most) return "";
  std::vector<std::string> names;
  for (const auto& item : object.items()) names.push_back(item.key());
  const std::string near = nearest_name(key, names);
  return near.empty() || near == key ? "" : fmt::format("; is '{}' meant to be it?", near);
}

}  // namespace

json parse_json(std::string_view text, const std::string& source) {
  StrictBuilder builder(source, text.size());
  json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
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
