#include <algorithm>

#include <fmt/format.h>

#include "fedtune/cli/run_results.h"
#include "fedtune/report/progress.h"

namespace fedtune::cli {
namespace {

constexpr std::string_view row = "  {:<14}{}\n";

std::string controls_text(const report::RunResults& results) {
  std::string text;
  for (const report::Control& control : results.controls) {
    text += fmt::format(row, control.name,
                        fmt::format("accuracy {:.4f}, MCC {:.4f}", control.metrics.accuracy, control.metrics.mcc));
  }
  return text;
}

// Of the last round: a client sends and receives the same tensors.
std::string traffic_text(const report::RunResults& results, std::size_t clients) {
  const report::RoundBytes& last = results.bytes.back();
  const double cohort = static_cast<double>(std::max<std::size_t>(clients, 1));
  return fmt::format("{} up and {} down per client and round", bytes_text(static_cast<double>(last.up) / cohort),
                     bytes_text(static_cast<double>(last.down) / cohort));
}

}  // namespace

std::string summary_text(const report::RunResults& results, const RunSummary& run) {
  const report::RoundMetrics& last = results.metrics.back();
  double speed = 0.0;
  for (const report::RoundSpeed& round : results.speed) speed += round.sentences_per_second;
  speed /= static_cast<double>(std::max<std::size_t>(results.speed.size(), 1));

  std::string text = fmt::format("\n{}: {} clients, {} rounds, {}\n\n", results.scheme, results.clients.size(),
                                 last.round, report::duration_text(results.elapsed_seconds));
  text +=
      fmt::format(row, "accuracy", fmt::format("{:.4f}   majority {:.4f}", last.accuracy, results.majority_accuracy));
  text += fmt::format(row, "MCC", fmt::format("{:.4f}   F1 {:.4f}   loss {:.4f}", last.mcc, last.f1, last.loss));
  if (last.teacher) {
    text += fmt::format(row, "teacher",
                        fmt::format("accuracy {:.4f}   loss {:.4f}", last.teacher->accuracy, last.teacher->loss));
  }
  text += controls_text(results);
  text += fmt::format(row, "traffic", traffic_text(results, run.last_cohort));
  text += fmt::format(row, "speed", fmt::format("{:.0f} sentences/s", speed));
  text += fmt::format(row, "final_sha256", results.final_sha256);
  text += fmt::format(row, run.trained.filename().string(), run.trained.string());
  text += fmt::format(row, "results", run.results.string());
  return text;
}

}  // namespace fedtune::cli
