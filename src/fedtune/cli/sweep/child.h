// This program again, as a child: a run of a sweep has memory of its own, and its crash is its own.
#pragma once

#include <span>
#include <string>

namespace fedtune::cli {

struct ChildEnd {
  int exit_code = 0;
  int signal = 0;     // that ended it, or 0
  std::string error;  // what it printed behind "fedtune: error: "

  bool succeeded() const { return exit_code == 0 && signal == 0; }
  // Why it did not, in one line.
  std::string reason() const;
};

// Runs `fedtune arguments...` and returns when it has ended. Its standard output is ours, its warnings are passed on. A
// signal that asks us to stop (base/interrupt.h) is passed on once: the child stands in a process group of its own, so
// that Ctrl-C does not reach it twice. It is killed when we are. Throws Error(failed) when it cannot be started.
ChildEnd run_child(std::span<const std::string> arguments);

}  // namespace fedtune::cli
