// The progress display as text; what a terminal does with it is progress.h's business.
#pragma once

#include <optional>
#include <string>

namespace fedtune::report {

// What there is to show; a value that is not known yet is left out.
struct ProgressState {
  std::string phase{};  // "training", "evaluating"
  int round = 0;
  int rounds = 0;
  int clients_done = 0;
  int clients = 0;
  std::optional<double> sentences_per_second{};
  std::optional<double> loss{};
  std::string metric_name{};  // "MCC", "accuracy"
  std::optional<double> metric{};
  std::optional<double> seconds_left{};
  std::string unit = "round";  // what is counted: "round", "epoch"
  double part = 0.0;           // of this round, in [0, 1]; read where no clients are counted
};

struct BarStyle {
  int width = 80;      // columns of the terminal
  bool color = false;  // SGR codes allowed
};

// One line of fewer columns than the terminal has; what matters least is left out first where it is narrow.
// "round 3/10 [#########---------------] training  2/4 clients  812 sentences/s  loss 0.4312  MCC 0.513  1m 20s left"
std::string render_bar(const ProgressState& state, const BarStyle& style);

// "round 3/10  4/4 clients  812 sentences/s  loss 0.4312  MCC 0.513  1m 20s left": no escape codes, no line end.
std::string render_plain(const ProgressState& state);

// "48s", "1m 20s", "2h 05m"
std::string duration_text(double seconds);

}  // namespace fedtune::report
