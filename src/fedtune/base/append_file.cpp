#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fedtune/base/disk.h"
#include "fedtune/base/file.h"
#include "fedtune/base/file_error.h"

namespace fedtune {
namespace {

// Offset behind the last line end within the first `size` bytes; -1 with errno set when the file cannot be read.
std::int64_t end_of_last_line(int descriptor, std::int64_t size) {
  std::array<char, 4096> block;
  while (size > 0) {
    const std::int64_t begin = std::max<std::int64_t>(0, size - static_cast<std::int64_t>(block.size()));
    const auto length = static_cast<std::size_t>(size - begin);
    if (::pread(descriptor, block.data(), length, begin) != static_cast<ssize_t>(length)) return -1;
    const std::size_t found = std::string_view(block.data(), length).rfind('\n');
    if (found != std::string_view::npos) return begin + static_cast<std::int64_t>(found) + 1;
    size = begin;
  }
  return 0;
}

}  // namespace

AppendFile::AppendFile(std::filesystem::path path) : path_(std::move(path)) {
  file_ = FileDescriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  struct stat status = {};
  if (!file_.is_open() || ::fstat(file_.get(), &status) != 0) throw write_error(path_, errno);
  size_ = end_of_last_line(file_.get(), status.st_size);
  if (size_ < 0) throw write_error(path_, errno);
  if (size_ < status.st_size && ::ftruncate(file_.get(), size_) != 0) throw write_error(path_, errno);
}

void AppendFile::append_line(std::string_view line) {
  const std::string whole = std::string(line) + '\n';
  const std::lock_guard lock(mutex_);
  if (const int error = disk().write(file_.get(), std::as_bytes(std::span(whole))); error != 0) {
    [[maybe_unused]] const int cut = ::ftruncate(file_.get(), size_);  // the reason of the write matters more
    throw write_error(path_, error);
  }
  size_ += static_cast<std::int64_t>(whole.size());
}

void AppendFile::sync() {
  if (const int error = disk().sync(file_.get()); error != 0) throw write_error(path_, error);
}

std::int64_t AppendFile::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

void append_to_file(const std::filesystem::path& path, std::string_view content) {
  int descriptor = -1;
  if (const int error = disk().open_to_append(path, descriptor); error != 0) throw write_error(path, error);
  FileDescriptor file(descriptor);
  int error = disk().write(descriptor, std::as_bytes(std::span(content)));
  if (error == 0) error = disk().sync(descriptor);
  if (error == 0) error = file.close();
  if (error != 0) throw write_error(path, error);
}

}  // namespace fedtune
