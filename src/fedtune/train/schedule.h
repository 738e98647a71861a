// The learning rate over a training phase.
#pragma once

#include <cstdint>

namespace fedtune::train {

enum class Schedule {
  constant,
  linear_decay,  // step i of n (from 0) uses lr * (1 - i / n)
};

// A place in a phase: step 0 .. total-1.
struct Progress {
  std::int64_t step = 0;
  std::int64_t total = 1;
};

inline double learning_rate(Schedule schedule, double peak, const Progress& progress) {
  if (schedule == Schedule::constant) return peak;
  return peak * (1.0 - static_cast<double>(progress.step) / static_cast<double>(progress.total));
}

}  // namespace fedtune::train
