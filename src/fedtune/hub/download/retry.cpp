#include "fedtune/hub/download/retry.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

#include "fedtune/base/clock.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/base/log.h"

namespace fedtune::hub {
namespace {

constexpr double first_pause = 0.5;    // seconds
constexpr double longest_pause = 120;  // seconds

void wait_seconds(double seconds) {
  constexpr std::chrono::milliseconds slice{50};  // how late an interrupt may be noticed
  for (const Stopwatch clock; clock.seconds() < seconds; std::this_thread::sleep_for(slice)) throw_if_interrupted();
}

}  // namespace

bool may_pass(int status) {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

double pause_before(int next, std::optional<double> asked) {
  const double own = first_pause * static_cast<double>(1 << std::clamp(next - 2, 0, 10));
  return std::min(asked.value_or(own), longest_pause);
}

std::optional<double> retry_after_seconds(const std::string& header) {
  int seconds = 0;
  const auto [end, error] = std::from_chars(header.data(), header.data() + header.size(), seconds);
  if (error != std::errc() || end != header.data() + header.size() || seconds < 0) return std::nullopt;
  return seconds;
}

bool Retry::wait(const std::string& reason, std::optional<double> asked) {
  if (tries_ == most_tries) return false;
  ++tries_;
  const double pause = pause_before(tries_, asked);
  log_warning("{}; trying again in {} s ({} of {})", reason, pause, tries_, most_tries);
  wait_seconds(pause);
  return true;
}

}  // namespace fedtune::hub
