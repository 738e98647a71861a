#include "fedtune/report/profile_text.h"

#include <fmt/format.h>

namespace fedtune::report {
namespace {

std::string row(const WorkShare& share, double step_seconds) {
  const std::string speed =
      share.operations > 0.0 ? fmt::format("  {:.1f} GF/s", share.operations / share.seconds * 1e-9) : "";
  return fmt::format("  {:<16} {:>5.1f} %  {:>9.3f} ms{}\n", name_of(share.work), 100.0 * share.seconds / step_seconds,
                     1e3 * share.seconds, speed);
}

}  // namespace

std::string profile_text(std::span<const StepProfile> steps) {
  std::string text;
  for (const StepProfile& step : steps) {
    text += fmt::format("{} steps: {}, {:.1f} ms each\n", name_of(step.kind), step.steps, 1e3 * step.seconds);
    for (const WorkShare& share : step.work) text += row(share, step.seconds);
  }
  return text;
}

}  // namespace fedtune::report
