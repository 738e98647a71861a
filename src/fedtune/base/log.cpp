#include "fedtune/base/log.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <vector>

#include "fedtune/base/error.h"
#include "fedtune/base/nearest.h"

namespace fedtune {
namespace {

const std::vector<std::string> level_names{"error", "warning", "info", "debug"};

std::atomic<LogLevel> current_level{LogLevel::info};

struct Sink {
  std::mutex mutex;
  std::function<void(std::string_view)> writer;
};

Sink& sink() {
  static Sink instance;
  return instance;
}

}  // namespace

LogLevel log_level_from(std::string_view text) {
  const auto found = std::find(level_names.begin(), level_names.end(), text);
  if (found != level_names.end()) return static_cast<LogLevel>(found - level_names.begin());
  const std::string near = nearest_name(text, level_names);
  throw usage_error("log level: found '{}', expected {}{}", text, fmt::join(level_names, ", "),
                    near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
}

void set_log_level(LogLevel level) {
  current_level = level;
}

LogLevel log_level() {
  return current_level;
}

void set_log_writer(std::function<void(std::string_view)> writer) {
  const std::lock_guard lock(sink().mutex);
  sink().writer = std::move(writer);
}

void log_line(LogLevel level, std::string_view text) {
  if (level > log_level()) return;
  const std::string prefix = level == LogLevel::info ? "" : level_names[static_cast<std::size_t>(level)] + ": ";
  const std::string line = prefix + std::string(text);
  const std::lock_guard lock(sink().mutex);
  if (sink().writer) {
    sink().writer(line);
  } else {
    std::fputs((line + '\n').c_str(), stderr);
  }
}

}  // namespace fedtune
