#include "fedtune/report/tensorboard.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <span>
#include <utility>
#include <vector>

#include <fcntl.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/file_error.h"
#include "fedtune/format/json_file.h"
#include "fedtune/report/tf_record.h"

namespace fedtune::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::string_view prefix = "events.out.tfevents.";

// Empty where there is no text under the key: a log may be damaged.
std::string text_of(const ordered_json& event, const char* key) {
  const auto found = event.find(key);
  return found != event.end() && found->is_string() ? found->get<std::string>() : "";
}

std::int64_t round_of(const ordered_json& event) {
  const auto found = event.find("round");
  return found != event.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

// "2026-01-31T23:59:59.123Z" as seconds since 1970; 0 where it is something else.
double seconds_of(const ordered_json& event) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0;
  double second = 0.0;
  const std::string text = text_of(event, "time");
  // NOLINTNEXTLINE(cert-err34-c): six fields or nothing
  if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%lfZ", &year, &month, &day, &hour, &minute, &second) != 6) return 0.0;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return static_cast<double>(days) * 86400.0 + hour * 3600.0 + minute * 60.0 + second;
}

struct Source {
  const char* tag;
  const char* pointer;  // into the event
};
constexpr std::array<Source, 14> sources{{{"validation/accuracy", "/accuracy"},
                                          {"validation/mcc", "/mcc"},
                                          {"validation/f1", "/f1"},
                                          {"validation/loss", "/loss"},
                                          {"teacher/accuracy", "/teacher_accuracy"},
                                          {"teacher/loss", "/teacher_loss"},
                                          {"speed/sentences_per_second", "/sentences_per_second"},
                                          {"bytes/up", "/bytes/up"},
                                          {"bytes/down", "/bytes/down"},
                                          {"seconds/train", "/seconds/train"},
                                          {"seconds/aggregate", "/seconds/aggregate"},
                                          {"seconds/distil", "/seconds/distil"},
                                          {"seconds/evaluate", "/seconds/evaluate"},
                                          {"seconds/wait", "/seconds/wait"}}};

// A line of a log; null where it is damaged. The order of its keys is lost.
ordered_json event_in(std::string_view line) {
  try {
    return parse_json(line, "an event");
  } catch (const Error&) {
    return nullptr;
  }
}

// Mean and greatest of numbers in any order.
void add_spread(std::vector<double> values, const std::string& tag, std::vector<Scalar>& scalars) {
  if (values.empty()) return;
  std::ranges::sort(values);
  double sum = 0.0;
  for (const double value : values) sum += value;
  scalars.push_back({tag + "_mean", static_cast<float>(sum / static_cast<double>(values.size()))});
  scalars.push_back({tag + "_max", static_cast<float>(values.back())});
}

std::vector<Scalar> scalars_of(const ordered_json& event) {
  std::vector<Scalar> scalars;
  for (const Source& source : sources) {
    const ordered_json::json_pointer pointer(source.pointer);
    if (!event.contains(pointer) || !event[pointer].is_number()) continue;
    scalars.push_back({source.tag, event[pointer].get<float>()});
  }
  std::vector<double> norms, errors;
  if (const auto found = event.find("contributions"); found != event.end() && found->is_array()) {
    for (const ordered_json& entry : *found) {
      if (entry.contains("norm") && entry["norm"].is_number()) norms.push_back(entry["norm"].get<double>());
    }
    scalars.push_back({"clients/contributions", static_cast<float>(found->size())});
  }
  if (const auto found = event.find("averaging_error"); found != event.end() && found->is_object()) {
    for (const auto& item : found->items()) {
      if (item.value().is_number()) errors.push_back(item.value().get<double>());
    }
  }
  add_spread(std::move(norms), "clients/norm", scalars);
  add_spread(std::move(errors), "averaging_error/layer", scalars);
  return scalars;
}

}  // namespace

TensorBoard::TensorBoard(fs::path folder, std::string_view events) : folder_(std::move(folder)) {
  create_folders(folder_);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    std::error_code ignored;
    if (entry.path().filename().string().starts_with(prefix)) fs::remove(entry.path(), ignored);
  }
  for (std::size_t end = events.find('\n'); end != std::string_view::npos; end = events.find('\n')) {
    if (const ordered_json event = event_in(events.substr(0, end)); event.is_object()) add(event);
    events.remove_prefix(end + 1);
  }
}

void TensorBoard::add(const ordered_json& event) {
  const std::scoped_lock lock(mutex_);
  const double wall_time = seconds_of(event);
  if (!file_.is_open()) open(wall_time);
  const std::string kind = text_of(event, "event");
  if (kind != "start" && kind != "round") return;
  BoardEvent board{.wall_time = wall_time, .step = round_of(event), .scalars = scalars_of(event)};
  write(tf_record(encoded(board)));
}

void TensorBoard::open(double wall_time) {
  path_ = folder_ / fmt::format("{}{:010.0f}.fedtune", prefix, wall_time);
  file_ = FileDescriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666));
  if (!file_.is_open()) throw write_error(path_, errno);
  write(tf_record(encoded({.wall_time = wall_time, .file_version = "brain.Event:2"})));
}

void TensorBoard::write(std::string_view bytes) {
  const int error = write_all(file_.get(), std::as_bytes(std::span(bytes)));
  if (error != 0) throw write_error(path_, error);
}

}  // namespace fedtune::report
