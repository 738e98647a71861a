// A file without a name: it is gone when it is closed, however the program ends.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "fedtune/base/file.h"
#include "fedtune/base/file_descriptor.h"

namespace fedtune {

// Not thread-safe.
class ScratchFile {
 public:
  // In `folder`, which exists; empty: the system's folder for temporary files. Throws Error(failed).
  explicit ScratchFile(std::filesystem::path folder = {});

  // Throws Error(failed) where there is no room; what was written before is still there.
  void append(std::span<const std::byte> bytes);
  std::size_t size() const { return size_; }
  // What has been written, read-only. It stays when the ScratchFile goes, until the last view has gone too.
  std::shared_ptr<const MappedFile> map() const;

 private:
  std::filesystem::path folder_;
  FileDescriptor file_;
  std::size_t size_ = 0;
};

}  // namespace fedtune
