// What is shown of a download, on stderr: a line redrawn in place on a terminal, a line at its start and end elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "fedtune/base/clock.h"

namespace fedtune::hub {

// "891 B", "2.96 MB"
std::string size_text(double bytes);

// Nothing is shown where the log shows no information (--quiet).
class DownloadProgress {
 public:
  explicit DownloadProgress(std::string label) : label_(std::move(label)) {}
  ~DownloadProgress();
  DownloadProgress(const DownloadProgress&) = delete;
  DownloadProgress& operator=(const DownloadProgress&) = delete;

  // So many files and bytes more are to come; -1 bytes where that is not known.
  void expect(int files, std::int64_t bytes);
  void begin_file(const std::string& name, std::int64_t there_already);
  // `there` bytes of the file are on disk.
  void advance(std::int64_t there);
  void end_file();
  void finish();

  // "distilbert-base-uncased  model.safetensors  123.4 MB of 268.7 MB  45 %  12.3 MB/s"
  std::string line(double seconds) const;

 private:
  void draw();
  void erase();

  std::string label_, file_;
  std::int64_t expected_ = 0, done_ = 0, before_ = 0, there_ = 0, arrived_ = 0;
  bool size_known_ = true, drawn_ = false;
  double last_draw_ = -1;
  Stopwatch clock_;
};

}  // namespace fedtune::hub
