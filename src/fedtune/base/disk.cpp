#include "fedtune/base/disk.h"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

#include "fedtune/base/file_descriptor.h"

namespace fedtune {
namespace {

thread_local Disk* current = nullptr;

}  // namespace

int Disk::create(const std::string& path, int& descriptor) {
  descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  return descriptor < 0 ? errno : 0;
}

int Disk::open_to_append(const std::string& path, int& descriptor) {
  descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  return descriptor < 0 ? errno : 0;
}

int Disk::write(int descriptor, std::span<const std::byte> bytes) {
  return write_all(descriptor, bytes);
}

int Disk::sync(int descriptor) {
  return ::fsync(descriptor) != 0 ? errno : 0;
}

int Disk::rename(const std::string& from, const std::string& to) {
  return std::rename(from.c_str(), to.c_str()) != 0 ? errno : 0;
}

int Disk::remove(const std::string& path) {
  return ::unlink(path.c_str()) != 0 ? errno : 0;
}

int Disk::sync_folder(const std::string& path) {
  return fedtune::sync_folder(path);
}

Disk& disk() {
  static Disk real;
  return current != nullptr ? *current : real;
}

UseDisk::UseDisk(Disk& other) : before_(current) {
  current = &other;
}

UseDisk::~UseDisk() {
  current = before_;
}

}  // namespace fedtune
