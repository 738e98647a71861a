#include "fedtune/report/page/study.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

namespace fedtune::report {
namespace {

using nlohmann::ordered_json;

// Options that say where and how fast, not what.
const std::set<std::string, std::less<>>& indifferent_keys() {
  static const std::set<std::string, std::less<>> keys{
      "seed",         "workers",   "save_steps", "address",         "min_clients",    "round_timeout", "wait",
      "idle_timeout", "rank",      "tls_ca",     "tls_key",         "tls_cert",       "send_timeout",  "insecure",
      "max_buffers",  "tls_allow", "server",     "compare_central", "max_connections"};
  return keys;
}

ordered_json deciding_config(const RunRecord& run) {
  ordered_json config = ordered_json::object();
  for (const auto& item : run.results.config.items()) {
    if (!indifferent_keys().contains(item.key())) config[item.key()] = item.value();
  }
  if (!config.contains("scheme")) config["scheme"] = run.results.scheme;
  return config;
}

std::string text_of(const ordered_json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  if (!value.is_array()) return value.is_null() ? "" : value.dump();
  std::string text;
  for (const auto& entry : value) text += (text.empty() ? "" : ",") + text_of(entry);
  return text;
}

bool scheme_reads(const std::string& scheme, std::string_view key) {
  constexpr std::array lora{"lora_r", "lora_alpha", "lora_dropout", "train_head", "target_modules"};
  constexpr std::array distillation{"distill_lr",   "student_lr",    "kd_epochs",
                                    "kd_loss",      "kd_terms",      "kd_temperature",
                                    "teacher_ckpt", "teacher_guard", "teacher_pretrain_epochs"};
  if (scheme == "fedavg" && std::ranges::count(lora, key) > 0) return false;
  return (scheme != "fedavg" && scheme != "fedlora") || std::ranges::count(distillation, key) == 0;
}

std::string scheme_of(const ordered_json& config) {
  return text_of(config.value("scheme", ordered_json("")));
}

// Keys beside the scheme whose values are not the same in all.
std::vector<std::string> differing_keys(const std::vector<ordered_json>& configs) {
  std::vector<std::string> keys;
  for (const auto& item : configs.front().items()) keys.push_back(item.key());
  std::erase_if(keys, [&](const std::string& key) {
    return key == "scheme" || std::ranges::all_of(configs, [&](const ordered_json& config) {
             return config.value(key, ordered_json()) == configs.front().value(key, ordered_json());
           });
  });
  return keys;
}

std::string described(const ordered_json& config, const std::vector<std::string>& keys) {
  std::string text = scheme_of(config);
  for (const std::string& key : keys) {
    if (!config.contains(key) || config.at(key).is_null() || !scheme_reads(scheme_of(config), key)) continue;
    std::string name = key;
    std::ranges::replace(name, '_', '-');
    text += fmt::format(" {} {}", name, text_of(config.at(key)));
  }
  return text;
}

// "fedlora r16": the scheme, and what differs among the groups of that scheme.
std::string short_label(const ordered_json& config, const std::vector<ordered_json>& configs) {
  std::vector<ordered_json> alike;
  std::ranges::copy_if(configs, std::back_inserter(alike),
                       [&](const ordered_json& other) { return scheme_of(other) == scheme_of(config); });
  std::string text = scheme_of(config);
  for (const std::string& key : differing_keys(alike)) {
    std::string name = key == "lora_r" ? "r" : key == "client_lr" ? "lr " : key + " ";
    std::ranges::replace(name, '_', '-');
    text += fmt::format(" {}{}", name, text_of(config.value(key, ordered_json())));
  }
  return text;
}

// What differs names the groups where that is short, else letters do.
void label(std::vector<Group>& groups, const std::vector<ordered_json>& configs,
           const std::vector<std::string>& distinctions) {
  std::size_t longest = 0;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i].description = described(configs[i], distinctions);
    groups[i].look = static_cast<int>(i) % looks;
    groups[i].label = short_label(configs[i], configs);
    longest = std::max(longest, groups[i].label.size());
  }
  constexpr std::size_t short_enough = 16;
  if (longest <= short_enough) return;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i].label = i < 26 ? std::string(1, static_cast<char>('A' + i)) : fmt::format("#{}", i + 1);
  }
}

Point point_of(double x, const std::vector<double>& values) {
  double sum = 0.0;
  Interval band{.low = values.front(), .high = values.front()};
  for (const double value : values) {
    sum += value;
    band = {.low = std::min(band.low, value), .high = std::max(band.high, value)};
  }
  Point point{.x = x, .y = sum / static_cast<double>(values.size())};
  if (values.size() > 1 && std::isfinite(point.y)) point.band = band;
  return point;
}

}  // namespace

Study::Study(std::vector<RunRecord> runs) : runs_(std::move(runs)) {
  std::vector<ordered_json> configs;
  for (const RunRecord& run : runs_) {
    const ordered_json config = deciding_config(run);
    const auto found = std::ranges::find(configs, config);
    const auto index = static_cast<std::size_t>(found - configs.begin());
    if (found == configs.end()) {
      configs.push_back(config);
      groups_.emplace_back();
    }
    groups_[index].runs.push_back(&run);
  }
  distinctions_ = differing_keys(configs);
  std::erase_if(distinctions_, [&](const std::string& key) {  // what no scheme reads sets apart only its own runs
    return std::ranges::none_of(groups_, [&](const Group& group) { return reads(*group.runs.front(), key); });
  });
  label(groups_, configs, distinctions_);
}

bool Study::has_teacher() const {
  return std::ranges::any_of(runs_,
                             [](const RunRecord& run) { return run.results.metrics.back().teacher.has_value(); });
}

std::vector<Point> series(const Group& group, const Measure& measure) {
  std::map<int, std::vector<double>> rounds;
  for (const RunRecord* run : group.runs) {
    for (const RoundMetrics& metrics : run->results.metrics) rounds[metrics.round].push_back(measure(metrics));
  }
  std::vector<Point> points;
  for (const auto& [round, values] : rounds) {
    if (values.size() == group.runs.size()) points.push_back(point_of(round, values));
  }
  return points;
}

std::vector<Point> series(const Group& group, const std::vector<int>& rounds,
                          const std::function<double(const RunRecord&, int round)>& value) {
  std::vector<Point> points;
  for (const int round : rounds) {
    std::vector<double> values;
    values.reserve(group.runs.size());
    for (const RunRecord* run : group.runs) values.push_back(value(*run, round));
    points.push_back(point_of(round, values));
  }
  return points;
}

std::vector<double> last_values(const Group& group, const Measure& measure) {
  std::vector<double> values;
  values.reserve(group.runs.size());
  for (const RunRecord* run : group.runs) values.push_back(measure(run->results.metrics.back()));
  return values;
}

std::string config_value(const RunRecord& run, const std::string& key) {
  return text_of(run.results.config.value(key, ordered_json()));
}

bool reads(const RunRecord& run, const std::string& key) {
  return scheme_reads(run.results.scheme, key);
}

}  // namespace fedtune::report
