#include "fedtune/base/atomic_folder.h"

#include <system_error>
#include <utility>

#include "fedtune/base/file.h"
#include "fedtune/base/file_error.h"

namespace fedtune {

namespace fs = std::filesystem;

AtomicFolder::AtomicFolder(fs::path final_path) : final_path_(std::move(final_path)), path_(final_path_) {
  path_ += ".partial";
  create_folders(path_);
  lock_.emplace(path_);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path_)) {
    fs::remove_all(entry.path(), error);
    if (error) throw write_error(entry.path(), error.value());
  }
}

AtomicFolder::~AtomicFolder() {
  if (committed_) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void AtomicFolder::commit() {
  std::error_code error;
  fs::rename(path_, final_path_, error);
  if (error) throw write_error(final_path_, error.value());
  committed_ = true;
  if (const int number = sync_folder(final_path_.parent_path()); number != 0) throw write_error(final_path_, number);
}

}  // namespace fedtune
