// The scores of a round that sections show; not a number where a run has no teacher.
#pragma once

#include <cmath>

#include "fedtune/report/results.h"

namespace fedtune::report {

inline double accuracy(const RoundMetrics& m) {
  return m.accuracy;
}
inline double mcc(const RoundMetrics& m) {
  return m.mcc;
}
inline double loss(const RoundMetrics& m) {
  return m.loss;
}
inline double teacher_accuracy(const RoundMetrics& m) {
  return m.teacher ? m.teacher->accuracy : std::nan("");
}
inline double teacher_loss(const RoundMetrics& m) {
  return m.teacher ? m.teacher->loss : std::nan("");
}

}  // namespace fedtune::report
