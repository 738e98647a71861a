#include "fedtune/hub/download/progress.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include <unistd.h>

#include "fedtune/base/log.h"

namespace fedtune::hub {

std::string size_text(double bytes) {
  constexpr std::array units{"B", "kB", "MB", "GB"};
  std::size_t unit = 0;
  for (; bytes >= 1000 && unit + 1 < units.size(); ++unit) bytes /= 1000;
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, units[unit]);
}

DownloadProgress::~DownloadProgress() {
  erase();
}

void DownloadProgress::expect(int files, std::int64_t bytes) {
  size_known_ = size_known_ && bytes >= 0;
  expected_ += std::max<std::int64_t>(bytes, 0);
  log_info("downloading {}: {} file{}{}", label_, files, files == 1 ? "" : "s",
           bytes < 0 ? "" : fmt::format(", {}", size_text(static_cast<double>(bytes))));
}

void DownloadProgress::begin_file(const std::string& name, std::int64_t there_already) {
  file_ = name;
  before_ = there_ = there_already;
}

void DownloadProgress::advance(std::int64_t there) {
  if (there < before_) before_ = there;  // the server began anew
  there_ = there;
  draw();
}

void DownloadProgress::end_file() {
  done_ += there_;
  arrived_ += there_ - before_;
  before_ = there_ = 0;
}

void DownloadProgress::finish() {
  erase();
  log_info("downloaded {}: {} in {:.1f} s", label_, size_text(static_cast<double>(arrived_)), clock_.seconds());
}

std::string DownloadProgress::line(double seconds) const {
  const auto there = static_cast<double>(done_ + there_);
  const auto arrived = static_cast<double>(arrived_ + there_ - before_);
  std::string text = fmt::format("{}  {}  {}", label_, file_, size_text(there));
  if (size_known_ && expected_ > 0) {
    const auto expected = static_cast<double>(expected_);
    text += fmt::format(" of {}  {:.0f} %", size_text(expected), 100 * there / expected);
  }
  return seconds > 0 ? text + fmt::format("  {}/s", size_text(arrived / seconds)) : text;
}

void DownloadProgress::draw() {
  constexpr double between = 0.1;  // seconds
  static const bool terminal = ::isatty(STDERR_FILENO) == 1;
  const double now = clock_.seconds();
  if (!terminal || log_level() < LogLevel::info || (drawn_ && now - last_draw_ < between)) return;
  last_draw_ = now;
  drawn_ = true;
  std::fputs(("\r\033[K" + line(now)).c_str(), stderr);
}

void DownloadProgress::erase() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

}  // namespace fedtune::hub
