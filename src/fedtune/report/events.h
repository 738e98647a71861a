// events.jsonl: what happened in a run, one JSON object per line, as it happens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "fedtune/base/file.h"

namespace fedtune::report {

class EventLog {
 public:
  // Appends to the file, which is created where it is missing. A last line without its end (a crash) is cut off first.
  explicit EventLog(const std::filesystem::path& path);

  // Appends {"event": kind, "time": now in ISO 8601, fields...} and returns once it is on disk, with all before it.
  // Thread-safe.
  void write(std::string_view kind, const nlohmann::ordered_json& fields = nlohmann::ordered_json::object());
  // The same for one event of a thousand clients: it is in the file, on disk with the next `write`. To wait for the
  // disk takes a thread longer than to make the event.
  void write_unsynced(std::string_view kind, const nlohmann::ordered_json& fields);
  // Called with each event once it is in the file, from the thread that wrote it.
  void on_written(std::function<void(const nlohmann::ordered_json& event)> listener) {
    listener_ = std::move(listener);
  }
  // Length of the file so far.
  std::int64_t bytes() const;

 private:
  nlohmann::ordered_json append(std::string_view kind, const nlohmann::ordered_json& fields);
  void tell(const nlohmann::ordered_json& event) const;

  AppendFile file_;
  std::function<void(const nlohmann::ordered_json&)> listener_;
};

// On resume: forgets what was written behind the checkpoint. A file that is shorter or missing is left as it is.
void cut_back_events(const std::filesystem::path& path, std::int64_t bytes);

}  // namespace fedtune::report
