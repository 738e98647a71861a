// The live display of a run: a line redrawn in place on a terminal, one plain line per round in a pipe.
#pragma once

#include <chrono>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace fedtune::report {

enum class ProgressMode {
  automatic,  // bar on a terminal, plain elsewhere
  bar,
  plain,
  none,
};

// "auto", "bar", "plain", "none"; throws Error(usage) naming the nearest for anything else.
ProgressMode progress_mode_from(std::string_view text);

// What there is to show; a value that is not known yet is left out of the display.
struct ProgressState {
  std::string phase;  // "training", "evaluating"
  int round = 0;
  int rounds = 0;
  int clients_done = 0;
  int clients = 0;
  std::optional<double> sentences_per_second;
  std::optional<double> loss;
  std::string metric_name;  // "MCC", "accuracy"
  std::optional<double> metric;
  std::optional<double> seconds_left;
};

// One line, at most `width` columns; what matters least is left out first where it is narrow. `color` allows SGR codes.
struct BarStyle {
  int width = 80;
  bool color = false;
};
std::string render_bar(const ProgressState& state, const BarStyle& style);
// "round 3/10  4/4 clients  812 sentences/s  loss 0.4312  MCC 0.513  1m 20s left": no escape codes, no line end.
std::string render_plain(const ProgressState& state);
// "48s", "1m 20s", "2h 05m"
std::string duration_text(double seconds);

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
