// Time that only moves forward, and time as people write it.
#pragma once

#include <chrono>
#include <string>

namespace fedtune {

// Seconds since some moment of the past; never goes back.
double steady_seconds();

// Seconds since it was made.
class Stopwatch {
 public:
  double seconds() const { return steady_seconds() - start_; }

 private:
  double start_ = steady_seconds();
};

using WallTime = std::chrono::system_clock::time_point;

// UTC with milliseconds: "2026-01-31T23:59:59.123Z"
std::string iso_time(WallTime time);
// Local time, fit for a file name: "2026-01-31_23-59-59"
std::string file_time(WallTime time);

}  // namespace fedtune
