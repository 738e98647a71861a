// A run's scalars for TensorBoard: a function of events.jsonl, written as the run goes.
#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "fedtune/base/file_descriptor.h"

namespace fedtune::report {

// One file, events.out.tfevents.<seconds of the run's start>.fedtune. It is made anew from the events whenever a run
// starts or goes on, so it is cut back as they are. Thread-safe.
class TensorBoard {
 public:
  // `events`: the lines of events.jsonl so far. Files of an earlier start in `folder` are removed. Throws
  // Error(failed).
  TensorBoard(std::filesystem::path folder, std::string_view events);

  // Adds what an event says: scores, bytes, seconds, speed and norms of a round; other events add nothing.
  void add(const nlohmann::ordered_json& event);

 private:
  void open(double wall_time);
  void write(std::string_view bytes);

  std::filesystem::path folder_;
  std::filesystem::path path_;
  FileDescriptor file_;
  std::mutex mutex_;
};

}  // namespace fedtune::report
