#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

#include <unistd.h>

#include "fedtune/base/disk.h"
#include "fedtune/base/file.h"
#include "fedtune/base/file_error.h"

namespace fedtune {
namespace {

constexpr std::string_view temporary_mark = ".fedtune-tmp-";

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

std::filesystem::path temporary_beside(const std::filesystem::path& path) {
  static std::atomic<unsigned> next{0};
  const std::string name = fmt::format(".{}{}{}-{}", path.filename().string(), temporary_mark, ::getpid(), next++);
  return folder_of(path) / name;
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  int error = 0;
  do {
    temporary_ = temporary_beside(path_).string();
    int descriptor = -1;
    error = disk().create(temporary_, descriptor);
    if (error == 0) file_ = FileDescriptor(descriptor);
  } while (error == EEXIST);
  if (error != 0) throw write_error(path_, error);
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) disk().remove(temporary_);
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (const int error = disk().write(file_.get(), bytes); error != 0) throw write_error(path_, error);
}

void AtomicFile::write(std::string_view text) {
  write(std::as_bytes(std::span(text)));
}

void AtomicFile::commit() {
  if (const int error = disk().sync(file_.get()); error != 0) throw write_error(path_, error);
  if (const int error = file_.close(); error != 0) throw write_error(path_, error);
  if (const int error = disk().rename(temporary_, path_); error != 0) throw write_error(path_, error);
  temporary_.clear();
  if (const int error = disk().sync_folder(folder_of(path_)); error != 0) throw write_error(path_, error);
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

bool is_temporary(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with('.') && name.find(temporary_mark) != std::string::npos;
}

void remove_temporary_files(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (is_temporary(entry.path())) disk().remove(entry.path().string());
  }
}

}  // namespace fedtune
