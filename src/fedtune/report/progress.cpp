#include "fedtune/report/progress.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include <sys/ioctl.h>
#include <unistd.h>

#include "fedtune/base/error.h"
#include "fedtune/base/log.h"
#include "fedtune/base/nearest.h"

namespace fedtune::report {
namespace {

constexpr auto redraw_interval = std::chrono::milliseconds(100);
constexpr const char* erase_line = "\r\033[K";

const std::vector<std::string> mode_names{"auto", "bar", "plain", "none"};

bool environment_is(const char* name, std::string_view value) {
  const char* found = std::getenv(name);
  return found != nullptr && found == value;
}

bool is_smart_terminal(std::FILE* out) {
  return ::isatty(::fileno(out)) != 0 && !environment_is("TERM", "dumb");
}

// NO_COLOR counts when it is set to anything but nothing.
bool color_wanted() {
  const char* no_color = std::getenv("NO_COLOR");
  return no_color == nullptr || *no_color == '\0';
}

int terminal_width(std::FILE* out) {
  struct winsize size = {};
  const bool known = ::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace

ProgressMode progress_mode_from(std::string_view text) {
  const auto found = std::find(mode_names.begin(), mode_names.end(), text);
  if (found != mode_names.end()) return static_cast<ProgressMode>(found - mode_names.begin());
  const std::string near = nearest_name(text, mode_names);
  throw usage_error("progress: found '{}', expected {}{}", text, fmt::join(mode_names, ", "),
                    near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
}

Progress::Progress(ProgressMode mode, std::FILE* out) : mode_(mode), out_(out), color_(color_wanted()) {
  if (mode_ == ProgressMode::automatic) mode_ = is_smart_terminal(out) ? ProgressMode::bar : ProgressMode::plain;
  if (mode_ != ProgressMode::bar) return;
  set_log_writer([this](std::string_view line) {
    const std::lock_guard lock(mutex_);
    erase_locked();
    std::fflush(out_);
    std::fputs((std::string(line) + '\n').c_str(), stderr);
    redraw_locked();
  });
}

Progress::~Progress() {
  finish();
}

void Progress::update(const ProgressState& state) {
  const std::lock_guard lock(mutex_);
  if (mode_ != ProgressMode::bar || finished_) return;
  const auto now = std::chrono::steady_clock::now();
  if (last_draw_ && now - *last_draw_ < redraw_interval) return;
  last_draw_ = now;
  draw_locked(state);
}

void Progress::round_done(const ProgressState& state) {
  const std::lock_guard lock(mutex_);
  if (finished_) return;
  if (mode_ == ProgressMode::plain) write_locked(render_plain(state) + '\n');
  if (mode_ == ProgressMode::bar) draw_locked(state);
}

void Progress::print_line(std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (mode_ == ProgressMode::none) return;
  erase_locked();
  write_locked(std::string(line) + '\n');
  redraw_locked();
}

void Progress::finish() {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    erase_locked();
    last_line_.clear();
    finished_ = true;
  }
  // Outside the lock: a line being logged holds the log's lock and waits for ours.
  if (mode_ == ProgressMode::bar) set_log_writer({});
}

void Progress::draw_locked(const ProgressState& state) {
  last_line_ = render_bar(state, {.width = terminal_width(out_), .color = color_});
  redraw_locked();
}

void Progress::redraw_locked() {
  if (mode_ != ProgressMode::bar || last_line_.empty()) return;
  write_locked(erase_line + last_line_);
  drawn_ = true;
}

void Progress::erase_locked() {
  if (drawn_) write_locked(erase_line);
  drawn_ = false;
}

void Progress::write_locked(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), out_);
  std::fflush(out_);
}

}  // namespace fedtune::report
