#include "fedtune/base/folder_lock.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>

#include "fedtune/base/error.h"

namespace fedtune {

FolderLock::FolderLock(const std::filesystem::path& folder)
    : folder_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!folder_.is_open()) throw failed("opening {}: {}", folder.string(), std::strerror(errno));
  if (::flock(folder_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw usage_error("{}: another process is at work here; wait for it to end", folder.string());
  }
}

}  // namespace fedtune
