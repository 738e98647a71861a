// Option values between text, JSON and the types of options.h.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "fedtune/base/error.h"
#include "fedtune/cli/options.h"

namespace fedtune::cli {

// The words of an enumeration, in the order of its values.
template <typename E>
struct Words;
template <>
struct Words<Scheme> {
  static constexpr std::array<std::string_view, 3> words{"fedavg", "fedlora", "fedkdlora"};
};
template <>
struct Words<data::PartitionKind> {
  static constexpr std::array<std::string_view, 5> words{"percent", "rows", "iid", "dirichlet", "quantity"};
};
template <>
struct Words<peft::TrainHead> {
  static constexpr std::array<std::string_view, 3> words{"full", "low-rank", "none"};
};
template <>
struct Words<worker::WeightBy> {
  static constexpr std::array<std::string_view, 2> words{"batches", "sentences"};
};
template <>
struct Words<DataType> {
  static constexpr std::array<std::string_view, 2> words{"fp32", "bf16"};
};
template <>
struct Words<KernelSet> {
  static constexpr std::array<std::string_view, 5> words{"auto", "amx", "avx512", "avx2", "portable"};
};
template <>
struct Words<train::KdLoss> {
  static constexpr std::array<std::string_view, 2> words{"corrected", "reference"};
};
template <>
struct Words<train::KdTerms> {
  static constexpr std::array<std::string_view, 4> words{"all", "kl", "attention", "none"};
};
template <>
struct Words<OnOff> {
  static constexpr std::array<std::string_view, 2> words{"off", "on"};
};
template <>
struct Words<Progress> {
  static constexpr std::array<std::string_view, 4> words{"auto", "bar", "plain", "none"};
};
template <>
struct Words<LogLevel> {
  static constexpr std::array<std::string_view, 4> words{"error", "warning", "info", "debug"};
};
template <>
struct Words<Split> {
  static constexpr std::array<std::string_view, 2> words{"train", "validation"};
};

template <typename E>
concept Choice = requires { Words<E>::words; };

template <Choice E>
std::string_view word(E value) {
  return Words<E>::words[static_cast<std::size_t>(value)];
}

// The inclusive or open interval a number must lie in.
struct Limits {
  double low = -1e300;
  double high = 1e300;
  std::string_view text;  // "at least 1"; empty: no limits
  bool low_open = false;
  bool high_open = false;

  bool hold(double value) const {
    return (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
  }
};

// parse_value: throws Error(usage) saying what was expected; the caller adds the option's name.
template <typename T>
  requires std::is_arithmetic_v<T>
T parse_number(const std::string& text, const Limits& limits) {
  constexpr std::string_view kind = std::integral<T> ? "a whole number" : "a number";
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool good = error == std::errc{} && end == text.data() + text.size() && !text.empty();
  if constexpr (std::floating_point<T>) good = good && std::isfinite(value);
  if (!good || !limits.hold(static_cast<double>(value))) {
    throw usage_error("expected {}{}{}, got '{}'", kind, limits.text.empty() ? "" : ", ", limits.text, text);
  }
  return value;
}

template <typename T>
struct Value;

template <typename T>
  requires(std::is_arithmetic_v<T> && !std::same_as<T, bool>)
struct Value<T> {
  static T parse(const std::string& text, const Limits& limits) { return parse_number<T>(text, limits); }
  static nlohmann::json json(const T& value) { return value; }
};

template <>
struct Value<bool> {
  static bool parse(const std::string& text, const Limits&) {
    if (text == "true") return true;
    if (text == "false") return false;
    throw usage_error("expected true or false, got '{}'", text);
  }
  static nlohmann::json json(bool value) { return value; }
};

template <>
struct Value<std::string> {
  static std::string parse(const std::string& text, const Limits&) { return text; }
  static nlohmann::json json(const std::string& value) { return value; }
};

template <Choice E>
struct Value<E> {
  static E parse(const std::string& text, const Limits&) {
    for (std::size_t i = 0; i < Words<E>::words.size(); ++i) {
      if (text == Words<E>::words[i]) return static_cast<E>(i);
    }
    throw usage_error("expected {}, got '{}'", fmt::join(Words<E>::words, "|"), text);
  }
  static nlohmann::json json(E value) { return word(value); }
};

template <typename T>
struct Value<std::optional<T>> {
  static std::optional<T> parse(const std::string& text, const Limits& limits) { return Value<T>::parse(text, limits); }
  static nlohmann::json json(const std::optional<T>& value) {
    return value ? Value<T>::json(*value) : nlohmann::json(nullptr);
  }
};

}  // namespace fedtune::cli
