// Messages to the person who runs the program, on stderr. Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace fedtune {

enum class LogLevel { error, warning, info, debug };

// "error", "warning", "info", "debug"; throws Error(usage) naming the nearest for anything else.
LogLevel log_level_from(std::string_view text);

// What is less severe is dropped; info at the start. --quiet sets error.
void set_log_level(LogLevel level);
LogLevel log_level();

// Where lines go instead of stderr (a progress display prints them above its bar); an empty function restores stderr.
// Lines come without their end, one call at a time.
void set_log_writer(std::function<void(std::string_view line)> writer);

// "warning: text"; info has no prefix.
void log_line(LogLevel level, std::string_view text);

template <typename... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  if (log_level() >= LogLevel::debug) log_line(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace fedtune
