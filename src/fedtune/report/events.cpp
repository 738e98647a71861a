#include "fedtune/report/events.h"

#include "fedtune/base/clock.h"

namespace fedtune::report {

EventLog::EventLog(const std::filesystem::path& path) : file_(path) {}

void EventLog::write(std::string_view kind, const nlohmann::ordered_json& fields) {
  const nlohmann::ordered_json event = append(kind, fields);
  file_.sync();
  tell(event);
}

void EventLog::write_unsynced(std::string_view kind, const nlohmann::ordered_json& fields) {
  tell(append(kind, fields));
}

nlohmann::ordered_json EventLog::append(std::string_view kind, const nlohmann::ordered_json& fields) {
  nlohmann::ordered_json event = {{"event", kind}, {"time", iso_time(std::chrono::system_clock::now())}};
  event.update(fields);
  file_.append_line(event.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  return event;
}

void EventLog::tell(const nlohmann::ordered_json& event) const {
  if (listener_) listener_(event);
}

std::int64_t EventLog::bytes() const {
  return file_.size();
}

void cut_back_events(const std::filesystem::path& path, std::int64_t bytes) {
  cut_file(path, bytes);
}

}  // namespace fedtune::report
