#include "fedtune/base/file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fedtune/base/file_error.h"

namespace fedtune {
namespace {

// Where files are mapped in this process.
class Mappings {
 public:
  void add(std::span<const std::byte> mapping) {
    const std::scoped_lock lock(mutex_);
    sizes_.emplace(mapping.data(), mapping.size());
  }
  void remove(std::span<const std::byte> mapping) {
    const std::scoped_lock lock(mutex_);
    sizes_.erase(mapping.data());
  }
  void release(std::span<const std::byte> bytes) const {
    constexpr std::size_t around = 2 << 20;
    static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::scoped_lock lock(mutex_);  // while it is held, none is unmapped
    auto found = sizes_.upper_bound(bytes.data());
    if (bytes.empty() || found == sizes_.begin()) return;
    const auto [start, size] = *--found;
    const auto first = static_cast<std::size_t>(bytes.data() - start);
    if (first + bytes.size() > size) return;
    const std::size_t begin = (first - std::min(first, around)) / page * page;
    const std::size_t end = std::min(size, first + bytes.size() + around);
    ::madvise(const_cast<std::byte*>(start) + begin, end - begin, MADV_DONTNEED);
  }

 private:
  mutable std::mutex mutex_;
  std::map<const std::byte*, std::size_t> sizes_;  // by where they start
};

Mappings& mappings() {
  static Mappings all;
  return all;
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  const FileDescriptor file = open_for_reading(path);
  std::string content;
  struct stat status = {};
  if (::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    content.reserve(static_cast<std::size_t>(status.st_size));
  }
  std::array<char, 1 << 16> block;
  for (;;) {
    const ssize_t count = ::read(file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw read_error(path, errno);
    if (count == 0) return content;
    content.append(block.data(), static_cast<std::size_t>(count));
  }
}

void create_folders(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw write_error(folder, error.value());
}

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
  return of(open_for_reading(path), path);
}

std::shared_ptr<const MappedFile> MappedFile::of(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) throw read_error(path, errno);
  if (S_ISDIR(status.st_mode)) throw read_error(path, EISDIR);
  if (!S_ISREG(status.st_mode)) throw input_error("reading {}: expected a regular file", path.string());
  const auto size = static_cast<std::size_t>(status.st_size);
  std::span<const std::byte> bytes;
  if (size > 0) {
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (address == MAP_FAILED) throw read_error(path, errno);
    bytes = {static_cast<const std::byte*>(address), size};
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(bytes));
}

MappedFile::MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {
  if (!bytes_.empty()) mappings().add(bytes_);
}

MappedFile::~MappedFile() {
  if (bytes_.empty()) return;
  mappings().remove(bytes_);
  ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void release_pages(std::span<const std::byte> bytes) {
  mappings().release(bytes);
}

void cut_file(const std::filesystem::path& path, std::int64_t bytes) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.is_open() && errno == ENOENT) return;
  struct stat status = {};
  if (!file.is_open() || ::fstat(file.get(), &status) != 0) throw write_error(path, errno);
  if (status.st_size <= bytes) return;
  if (::ftruncate(file.get(), bytes) != 0 || ::fsync(file.get()) != 0) throw write_error(path, errno);
}

}  // namespace fedtune
