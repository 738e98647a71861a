// One process at a time in a folder.
#pragma once

#include <filesystem>

#include "fedtune/base/file_descriptor.h"

namespace fedtune {

// Held while the object lives and released when the process ends, however it ends.
class FolderLock {
 public:
  // Throws Error(usage) when another process holds it, Error(failed) when the folder cannot be opened.
  explicit FolderLock(const std::filesystem::path& folder);

 private:
  FileDescriptor folder_;
};

}  // namespace fedtune
