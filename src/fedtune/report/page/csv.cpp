#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "fedtune/report/page/page.h"

namespace fedtune::report {
namespace {

std::string cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "";
}

template <typename Entry>
const Entry* entry_of(const std::vector<Entry>& entries, int round) {
  const auto found = std::ranges::find(entries, round, &Entry::round);
  return found == entries.end() ? nullptr : &*found;
}

std::string score_cells(const RoundMetrics& m) {
  return fmt::format("{},{},{},{},{},{}", number(m.accuracy), number(m.mcc), number(m.f1), number(m.loss),
                     m.teacher ? number(m.teacher->accuracy) : "", m.teacher ? number(m.teacher->loss) : "");
}

std::string costs(const RunResults& results, int round) {
  const RoundBytes* bytes = entry_of(results.bytes, round);
  const RoundSeconds* seconds = entry_of(results.seconds, round);
  const RoundSpeed* speed = entry_of(results.speed, round);
  std::string text = bytes != nullptr ? fmt::format("{},{}", bytes->up, bytes->down) : ",";
  text += seconds != nullptr ? fmt::format(",{},{},{},{},{}", number(seconds->train), number(seconds->aggregate),
                                           number(seconds->distil), number(seconds->evaluate), number(seconds->wait))
                             : ",,,,,";
  return text + "," + (speed != nullptr ? number(speed->sentences_per_second) : "");
}

std::string contributions(const RunRecord& run, int round) {
  const RoundDetail* detail = entry_of(run.details, round);
  if (detail == nullptr) return ",,,";
  double error = 0.0, greatest = 0.0;
  for (const LayerError& layer : detail->averaging_errors) {
    error += layer.relative / static_cast<double>(detail->averaging_errors.size());
    greatest = std::max(greatest, layer.relative);
  }
  const bool known = !detail->averaging_errors.empty();
  return fmt::format("{},{},{},{}", detail->contributions.size(), detail->excluded.size(), known ? number(error) : "",
                     known ? number(greatest) : "");
}

}  // namespace

std::string to_csv(const Study& study) {
  std::string text =
      "run,contender,scheme,seed,round,accuracy,mcc,f1,loss,teacher_accuracy,teacher_loss,majority_accuracy,bytes_up,"
      "bytes_down,seconds_train,seconds_aggregate,seconds_distil,seconds_evaluate,seconds_wait,sentences_per_second,"
      "contributions,left_out,averaging_error_mean,averaging_error_max\r\n";
  for (const Group& group : study.groups()) {
    for (const RunRecord* run : group.runs) {
      const RunResults& results = run->results;
      for (const RoundMetrics& metrics : results.metrics) {
        text += fmt::format("{},{},{},{},{},{},{},{},{}\r\n", cell(run->name), cell(group.description),
                            cell(results.scheme), results.seed, metrics.round, score_cells(metrics),
                            number(results.majority_accuracy), costs(results, metrics.round),
                            contributions(*run, metrics.round));
      }
    }
  }
  return text;
}

}  // namespace fedtune::report
