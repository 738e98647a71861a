#include "fedtune/hub/cache.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/file_error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/base/log.h"

namespace fedtune::hub {
namespace {

namespace fs = std::filesystem;

// Whether the path still leads to the open file: a cache that was cleared meanwhile leads to none or another.
bool is_same_file(const fs::path& path, int descriptor) {
  struct stat by_path = {}, by_descriptor = {};
  return ::stat(path.c_str(), &by_path) == 0 && ::fstat(descriptor, &by_descriptor) == 0 &&
         by_path.st_dev == by_descriptor.st_dev && by_path.st_ino == by_descriptor.st_ino;
}

}  // namespace

RepositoryCache::RepositoryCache(fs::path cache, const Repository& repository)
    : cache_(std::move(cache)), folder_(cache_ / repository.folder_name()), name_(repository.folder_name()) {}

std::optional<std::string> RepositoryCache::commit() const {
  const fs::path ref = folder_ / "refs" / "main";
  std::error_code ignored;
  if (!fs::exists(ref, ignored)) return std::nullopt;
  std::string commit = read_file(ref);
  while (!commit.empty() && (commit.back() == '\n' || commit.back() == ' ')) commit.pop_back();
  if (!is_name(commit)) throw input_error("{}: not a commit; delete it and the files are fetched again", ref.string());
  return commit;
}

fs::path RepositoryCache::snapshot(const std::string& commit) const {
  return folder_ / "snapshots" / commit;
}

std::vector<std::string> RepositoryCache::files(const std::string& commit) const {
  const fs::path root = snapshot(commit);
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(root, ignored)) {
    if (!entry.is_regular_file(ignored) || is_temporary(entry.path())) continue;
    names.push_back(entry.path().lexically_relative(root).generic_string());
  }
  std::ranges::sort(names);
  return names;
}

fs::path RepositoryCache::blob(const std::string& etag) const {
  return folder_ / "blobs" / etag;
}

fs::path RepositoryCache::incomplete(const std::string& etag) const {
  return folder_ / "blobs" / (etag + ".incomplete");
}

void RepositoryCache::create() const {
  for (const char* part : {"blobs", "refs", "snapshots"}) create_folders(folder_ / part);
  create_folders(cache_ / ".locks" / name_);
}

fs::path RepositoryCache::lock_file(const std::string& etag) const {
  return cache_ / ".locks" / name_ / (etag + ".lock");
}

void RepositoryCache::link(const std::string& commit, const std::string& file, const std::string& etag) const {
  const fs::path place = snapshot(commit) / file;
  create_folders(place.parent_path());
  const fs::path target = blob(etag).lexically_relative(place.parent_path());
  std::error_code error;
  if (fs::read_symlink(place, error) == target) return;
  // Made under a name of its own and renamed: whoever reads meanwhile finds the old link or the new one, and others may
  // make the same.
  fs::path fresh;
  do {
    fresh = temporary_beside(place);
    fs::create_symlink(target, fresh, error);
    if (error == std::errc::operation_not_permitted || error == std::errc::operation_not_supported) {
      fs::copy_file(blob(etag), fresh, error);
    }
  } while (error == std::errc::file_exists);
  if (!error) fs::rename(fresh, place, error);
  if (!error) return;
  std::error_code ignored;
  fs::remove(fresh, ignored);
  throw write_error(place, error.value());
}

void RepositoryCache::set_commit(const std::string& commit) const {
  write_file_atomically(folder_ / "refs" / "main", commit);
}

BlobLock::BlobLock(const fs::path& file) {
  constexpr std::chrono::milliseconds pause{50};
  for (bool said = false;; std::this_thread::sleep_for(pause)) {
    throw_if_interrupted();
    file_ = FileDescriptor(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (!file_.is_open()) throw write_error(file, errno);
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) == 0) {
      if (is_same_file(file, file_.get())) return;
      continue;
    }
    if (errno != EWOULDBLOCK && errno != EINTR) throw write_error(file, errno);
    if (!std::exchange(said, true)) log_info("another process is downloading the same file; waiting for it");
  }
}

}  // namespace fedtune::hub
