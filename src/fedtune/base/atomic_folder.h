// A folder that appears under its name whole, or not at all.
#pragma once

#include <filesystem>
#include <optional>

#include "fedtune/base/folder_lock.h"

namespace fedtune {

// Files are written to path(), beside the final place, and commit() renames it. What a killed process left there is
// cleared by the next one.
class AtomicFolder {
 public:
  // Creates `<final_path>.partial`, empty. Throws Error(failed) where it cannot, Error(usage) when another process is
  // making the same folder.
  explicit AtomicFolder(std::filesystem::path final_path);
  ~AtomicFolder();  // removes what is not committed
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // Call once, with the files on disk. Throws Error(failed), also when the final place is no longer free.
  void commit();

 private:
  std::filesystem::path final_path_, path_;
  std::optional<FolderLock> lock_;
  bool committed_ = false;
};

}  // namespace fedtune
