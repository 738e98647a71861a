// Ctrl-C and SIGTERM: once asks to finish the step and save, twice ends the process at once.
#pragma once

#include <stdexcept>

namespace fedtune {

// Installs the handlers for SIGINT and SIGTERM. Call once, from main.
void install_interrupt_handlers();
// The signal that was received, or 0. Safe from any thread.
int interrupt_signal() noexcept;
// For tests and drills: as if the signal had arrived (0 clears).
void set_interrupt_signal(int signal) noexcept;

// Unwinds to main, which exits with 128 + signal.
class Interrupted : public std::runtime_error {
 public:
  explicit Interrupted(int signal) : std::runtime_error("interrupted"), signal_(signal) {}
  int signal() const noexcept { return signal_; }

 private:
  int signal_;
};

// Throws Interrupted when a signal has arrived.
void throw_if_interrupted();

}  // namespace fedtune
