// The live display of a run: a line redrawn in place on a terminal, one plain line per round in a pipe.
#pragma once

#include <chrono>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "fedtune/report/progress_text.h"

namespace fedtune::report {

enum class ProgressMode {
  automatic,  // bar on a terminal, plain elsewhere
  bar,
  plain,
  none,
};

// "auto", "bar", "plain", "none"; throws Error(usage) naming the nearest for anything else.
ProgressMode progress_mode_from(std::string_view text);

// Owns the terminal's line while it lives: log lines are printed above the bar. Thread-safe.
class Progress {
 public:
  // `out` outlives the display. NO_COLOR, TERM=dumb and the terminal's width are respected.
  explicit Progress(ProgressMode mode, std::FILE* out = stdout);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows the state; redraws at most ten times a second. Shown on a terminal only.
  void update(const ProgressState& state);
  // A round is complete: always shown; the one line that a pipe gets.
  void round_done(const ProgressState& state);
  // Prints a line above the bar, in every mode but none.
  void print_line(std::string_view line);
  // Ends the display: the bar is erased. Called by the destructor.
  void finish();

 private:
  void draw_locked(const ProgressState& state);
  void redraw_locked();
  void erase_locked();
  void write_locked(std::string_view text);

  std::mutex mutex_;
  ProgressMode mode_;
  std::FILE* out_;
  bool color_ = false;
  bool drawn_ = false;
  bool finished_ = false;
  std::string last_line_;
  std::optional<std::chrono::steady_clock::time_point> last_draw_;
};

}  // namespace fedtune::report
