#include <algorithm>
#include <cmath>

#include "fedtune/base/error.h"
#include "fedtune/cli/sweep/runner.h"
#include "fedtune/format/json_file.h"

namespace fedtune::cli {
namespace {

using nlohmann::json;

// As fed::choose_cohort counts.
double cohort_size(const json& config, const std::string& file) {
  const auto clients = static_cast<double>(required<std::int64_t>(config, "num_clients", file));
  const double wanted = std::round(required<double>(config, "fraction_fit", file) * clients);
  return std::clamp(wanted, 1.0, clients);
}

}  // namespace

report::Measures read_measures(const std::filesystem::path& results) {
  const std::string file = results.string();
  const json all = load_json(results);
  const json ours = required<json>(all, "fedtune", file);
  const auto list = [&](std::string_view key) { return required<std::vector<json>>(ours, key, file); };
  const auto number = [&](const json& object, std::string_view key) {
    return optional_or<double>(object, key, std::nan(""), file);
  };
  const std::vector<json> metrics = list("metrics");
  const std::vector<json> bytes = list("bytes");
  const std::vector<json> seconds = list("seconds");
  const std::vector<json> speeds = list("sentences_per_second");
  if (metrics.empty() || bytes.empty() || seconds.size() != speeds.size()) {
    throw input_error("{}: not the results of a run: no round in it", file);
  }

  double sent = 0.0, sentences = 0.0, training = 0.0;
  for (const json& round : bytes) sent += number(round, "up") + number(round, "down");
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    training += number(seconds[i], "train");
    sentences += number(seconds[i], "train") * number(speeds[i], "value");
  }
  const json& last = metrics.back();
  const double contributions =
      cohort_size(required<json>(all, "config", file), file) * static_cast<double>(bytes.size());
  return {.accuracy = number(last, "accuracy"),
          .mcc = number(last, "mcc"),
          .loss = number(last, "loss"),
          .majority = number(ours, "majority_accuracy"),
          .bytes = sent / contributions,
          .seconds = number(all, "elapsed_time_secs"),
          .sentences_per_second = training > 0.0 ? sentences / training : 0.0};
}

}  // namespace fedtune::cli
