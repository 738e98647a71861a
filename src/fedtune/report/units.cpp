#include "fedtune/report/units.h"

#include <cmath>

#include <fmt/format.h>

#include "fedtune/report/progress_text.h"

namespace fedtune::report {

std::string bytes_text(double bytes) {
  if (bytes < 1e3) return fmt::format("{:.0f} B", bytes);
  if (bytes < 1e6) return fmt::format("{:.1f} kB", bytes / 1e3);
  if (bytes < 1e9) return fmt::format("{:.2f} MB", bytes / 1e6);
  return fmt::format("{:.2f} GB", bytes / 1e9);
}

std::string number_text(double value) {
  if (!std::isfinite(value)) return "-";
  if (value == std::floor(value) && std::abs(value) < 1e9) return fmt::format("{:.0f}", value);
  return std::abs(value) < 1.0 && std::abs(value) >= 1e-3 ? fmt::format("{:.4f}", value) : fmt::format("{:.4g}", value);
}

std::string seconds_text(double seconds) {
  if (!std::isfinite(seconds)) return "-";
  if (seconds < 10.0) return fmt::format("{:.2f} s", seconds);
  return seconds < 100.0 ? fmt::format("{:.1f} s", seconds) : duration_text(seconds);
}

}  // namespace fedtune::report
