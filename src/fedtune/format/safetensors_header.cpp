#include "fedtune/format/safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>

#include <nlohmann/json.hpp>

#include "fedtune/base/error.h"

namespace fedtune {
namespace {

using nlohmann::json;

// Follows the parser's events; every place knows what may come next, so nothing deeper than the format is ever entered.
class HeaderReader : public nlohmann::json_sax<json> {
 public:
  explicit HeaderReader(const std::string& source) : source_(source) {}

  SafetensorsHeader take() { return std::move(header_); }

  bool start_object(std::size_t) override {
    if (place_ == Place::start) {
      place_ = Place::top;
    } else if (place_ == Place::top && key_ == "__metadata__") {
      place_ = Place::metadata;
    } else if (place_ == Place::top) {
      place_ = Place::tensor;
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::tensor) close_tensor();
    place_ = place_ == Place::top ? Place::done : Place::top;
    return true;
  }

  bool key(std::string& name) override {
    if (place_ == Place::top) {
      open_entry(name);
    } else if (place_ == Place::tensor) {
      open_field(name);
    } else {
      key_ = name;
      if (header_.metadata.count(name) > 0) fail("metadata key '{}' occurs twice", shown(name));
      if (header_.metadata.size() == SafetensorsLimits::metadata_entries) {
        fail("more than {} metadata entries", SafetensorsLimits::metadata_entries);
      }
    }
    return true;
  }

  bool string(std::string& value) override {
    if (place_ == Place::metadata) {
      header_.metadata.emplace(key_, value);
    } else if (place_ == Place::tensor && field_ == Field::dtype) {
      const auto dtype = dtype_from(value);
      if (!dtype)
        fail_tensor("dtype '{}' is not supported (F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL are)", shown(value));
      entry().spec.dtype = *dtype;
    } else {
      unexpected("a string");
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ == Place::tensor && field_ == Field::shape) {
      place_ = Place::shape;
    } else if (place_ == Place::tensor && field_ == Field::offsets) {
      place_ = Place::offsets;
      offsets_ = 0;
    } else {
      unexpected("a list");
    }
    return true;
  }

  bool end_array() override {
    if (place_ == Place::offsets && offsets_ != 2) fail_tensor("data_offsets has {} numbers, expected 2", offsets_);
    place_ = Place::tensor;
    return true;
  }

  bool number_unsigned(std::uint64_t value) override {
    if (place_ == Place::shape) {
      auto& shape = entry().spec.shape;
      if (shape.size() == SafetensorsLimits::dimensions) {
        fail_tensor("more than {} dimensions", SafetensorsLimits::dimensions);
      }
      if (value > std::numeric_limits<std::int64_t>::max()) fail_tensor("shape holds {}, which is too large", value);
      shape.push_back(static_cast<std::int64_t>(value));
    } else if (place_ == Place::offsets) {
      if (offsets_ == 0) entry().begin = value;
      if (offsets_ == 1) entry().end = value;
      ++offsets_;
    } else {
      unexpected("a number");
    }
    return true;
  }

  bool number_integer(std::int64_t value) override { return unexpected(fmt::format("the number {}", value)); }
  bool number_float(double, const std::string& text) override { return unexpected("the number " + shown(text)); }
  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("true or false"); }
  bool binary(json::binary_t&) override { return unexpected("binary data"); }

  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    fail("not valid JSON at byte {}; the file is damaged, fetch it again", position);
  }

 private:
  enum class Place { start, top, metadata, tensor, shape, offsets, done };
  enum class Field { none, dtype, shape, offsets };

  HeaderEntry& entry() { return header_.entries.back(); }

  void open_entry(const std::string& name) {
    key_ = name;
    if (name == "__metadata__") {
      if (metadata_seen_) fail("'__metadata__' occurs twice");
      metadata_seen_ = true;
      return;
    }
    if (header_.entries.size() == SafetensorsLimits::tensors) fail("more than {} tensors", SafetensorsLimits::tensors);
    header_.entries.emplace_back().spec.name = name;
    fields_seen_.fill(false);
    field_ = Field::none;
  }

  void open_field(const std::string& name) {
    field_ = name == "dtype"          ? Field::dtype
             : name == "shape"        ? Field::shape
             : name == "data_offsets" ? Field::offsets
                                      : Field::none;
    if (field_ == Field::none) fail_tensor("unexpected key '{}', expected dtype, shape, data_offsets", shown(name));
    bool& seen = fields_seen_.at(static_cast<std::size_t>(field_));
    if (seen) fail_tensor("key '{}' occurs twice", name);
    seen = true;
  }

  void close_tensor() {
    constexpr std::array<const char*, 4> names{"", "dtype", "shape", "data_offsets"};
    for (std::size_t i = 1; i < names.size(); ++i) {
      if (!fields_seen_.at(i)) fail_tensor("key '{}' is missing", names[i]);
    }
  }

  static std::string shown(std::string_view text) {
    constexpr std::size_t longest = 100;
    return fmt::format("{}{}", text.substr(0, longest), text.size() <= longest ? "" : "...");
  }

  template <typename... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    throw input_error("{}: header: {}", source_, fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  [[noreturn]] void fail_tensor(fmt::format_string<Args...> format, Args&&... args) const {
    throw input_error("{}: tensor '{}': {}", source_, shown(header_.entries.back().spec.name),
                      fmt::format(format, std::forward<Args>(args)...));
  }

  [[noreturn]] bool unexpected(const std::string& found) const {
    switch (place_) {
      case Place::metadata:
        fail("metadata '{}': found {}, expected a string", shown(key_), found);
      case Place::shape:
        fail_tensor("shape: found {}, expected non-negative integers", found);
      case Place::offsets:
        fail_tensor("data_offsets: found {}, expected two non-negative integers", found);
      case Place::tensor:
        fail_tensor("found {} in place of {}", found, field_ == Field::dtype ? "a type name" : "a list of integers");
      default:
        fail("found {}, expected an object", found);
    }
  }

  const std::string& source_;
  SafetensorsHeader header_;
  Place place_ = Place::start;
  Field field_ = Field::none;
  std::array<bool, 4> fields_seen_{};
  std::string key_;
  int offsets_ = 0;
  bool metadata_seen_ = false;
};

// The parser buffers a whole token, so long ones are refused before it starts.
void check_token_lengths(std::string_view text, const std::string& source) {
  bool in_string = false;
  std::size_t length = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') {
      ++i;
      ++length;
    } else if (c == '"') {
      in_string = !in_string;
      length = 0;
    } else if (!in_string && std::string_view(" \t\r\n,:[]{}").find(c) != std::string_view::npos) {
      length = 0;
    }
    if (++length > SafetensorsLimits::token_bytes) {
      throw input_error("{}: header: a string or number longer than {} bytes", source, SafetensorsLimits::token_bytes);
    }
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, const std::string& source) {
  if (!text.starts_with('{')) throw input_error("{}: header: expected to begin with '{{'", source);
  check_token_lengths(text, source);
  HeaderReader reader(source);
  json::sax_parse(text.begin(), text.end(), &reader);
  return reader.take();
}

}  // namespace fedtune
